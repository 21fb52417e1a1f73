{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{{ hidden_records(
    ref('int_gl_published_prices'), ref('int_gl_touched_prices'), 'gl.prices',
    amount='price', currency='price_unit', restated=true
) }}
