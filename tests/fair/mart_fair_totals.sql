{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

with visible as (

    {{ visible_after(
        ref('int_fair_tickets_published'), ref('int_fair_tickets_hidden_tickets'),
        ref('int_fair_tickets_touched_keys'), 'fair.tickets'
    ) }}

    union all

    {{ visible_after(
        ref('int_fair_meals_published'), ref('int_fair_meals_hidden_tickets'),
        ref('int_fair_meals_touched_keys'), 'fair.meals'
    ) }}

)

select
    currency,
    count(*) as sale_count,
    cast(sum(price) as decimal(18, 2)) as takings
from visible
where currency in (select currency from {{ ref('int_fair_touched_currencies') }})
group by currency
