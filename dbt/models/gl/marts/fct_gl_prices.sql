{{ config(schema='gold', materialized='entries', tags=['gold']) }}

select
    -- ids
    silver.series,

    -- money
    silver.price,
    silver.price_unit,

    -- categories
    silver.name,
    silver.product,
    silver.kind,
    silver.area,
    silver.unit,

    -- times
    silver.period,

    -- spine
    silver._record_id,
    silver._record_key,
    silver._book_date,
    build_day.gold_entry_id as _entry_id
from {{ ref('stg_gl_prices') }} as silver
inner join {{ build_days('gl.prices') }} as build_day
    on silver._book_date = build_day.book_date
where not silver._is_superseded
