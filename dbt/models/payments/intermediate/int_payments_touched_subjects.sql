{{ config(schema='next', materialized='table', tags=['published']) }}

select subject_key
from {{ served('marts', ref('payment_history')) }} as history
where _record_key in (select _record_key from {{ ref('int_payments_touched_events') }})

union

select subject_key
from {{ ref('payment_history') }} as history
