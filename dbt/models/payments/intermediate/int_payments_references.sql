{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

with events as (

    select *
    from (
        {{ visible_after(
            ref('int_payments_published'), ref('int_payments_hidden_records'),
            ref('int_payments_touched_keys'), 'payments.events'
        ) }}
    ) as visible
    where _record_key in (select _record_key from {{ ref('int_payments_touched_keys') }})

)

select *
from (
    {{ references_of_events('events') }}
) as own
