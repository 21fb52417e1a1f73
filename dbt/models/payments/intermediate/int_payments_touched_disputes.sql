{{ config(schema='next', materialized='table', tags=['published']) }}

select {{ payment_scope() }} || ':' || dispute_id as dispute_key
from {{ served('marts', ref('payment_history')) }} as history
where _record_key in (select _record_key from {{ ref('int_payments_touched_events') }})
    and dispute_id is not null

union

select {{ payment_scope() }} || ':' || dispute_id as dispute_key
from {{ ref('payment_history') }} as history
where dispute_id is not null
