{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

with events as (

    {{ visible_events(ref('int_payments_touched_events')) }}

)

select *
from (
    {{ events_of_payments('events') }}
) as history
