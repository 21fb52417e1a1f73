{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

select
    -- ids
    series,

    -- money
    price,
    price_unit,

    -- categories
    product,
    unit,

    -- times
    period,

    -- spine
    _record_id,
    _record_key,
    _book_date
from (
    {{ brought_rows(ref('fct_gl_prices'), 'gl.prices') }}
) as brought
