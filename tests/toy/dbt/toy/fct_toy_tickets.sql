{{ config(schema='gold', materialized='entries', tags=['gold']) }}

select
    silver.number,
    silver.booth,
    silver.price,
    silver.currency,
    silver.sold_at,
    silver._record_id,
    silver._record_key,
    silver._book_date,
    build_day.gold_entry_id as _entry_id
from {{ ref('stg_toy_tickets') }} as silver
inner join {{ build_days('toy.tickets') }} as build_day
    on silver._book_date = build_day.book_date
where not silver._is_superseded
