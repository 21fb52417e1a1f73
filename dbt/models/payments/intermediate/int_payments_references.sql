{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

with events as (

    {{ visible_events(ref('int_payments_touched_keys')) }}

)

select *
from (
    {{ references_of_events('events') }}
) as own
