{{ config(schema='marts', materialized='view', tags=['published']) }}

select *
from {{ served('gold', ref('int_payments_event_lines')) }} as of_events

union all

select *
from {{ served('gold', ref('int_payments_settled_lines')) }} as of_settlements
