{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

with published as (

    {{ published_rows(ref('fct_toy_tickets'), 'toy.tickets') }}

),

hidden as (

    select * from {{ hidden_after(ref('int_toy_hidden_tickets'), ref('int_toy_touched_keys')) }} as hidden

)

select
    published.booth,
    cast(published.sold_at as date) as sold_on,
    count(*) as ticket_count,
    cast(sum(published.price) as decimal(18, 2)) as takings
from published
inner join {{ ref('int_toy_touched_booths') }} as touched on published.booth = touched.booth
where not exists (
    select 1
    from hidden
    where hidden._record_id = published._record_id
        and hidden._book_date = published._book_date
)
group by published.booth, cast(published.sold_at as date)
