{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

with visible as (

    {{ visible_after(
        ref('int_toy_published'), ref('int_toy_hidden_tickets'), ref('int_toy_touched_keys'),
        'toy.tickets'
    ) }}

)

select
    visible.booth,
    cast(visible.sold_at as date) as sold_on,
    count(*) as ticket_count,
    cast(sum(visible.price) as decimal(18, 2)) as takings
from visible
inner join {{ ref('int_toy_touched_booths') }} as touched on visible.booth = touched.booth
group by visible.booth, cast(visible.sold_at as date)
