{{ config(schema='marts', materialized='view', tags=['published']) }}

select
    cast(0 as bigint) as product_key,
    'unknown' as retailer,
    'unknown' as product_code,
    'unknown' as product_name,
    'unknown' as category,
    cast(null as date) as first_sold_on,
    cast(null as date) as last_sold_on

union all

select product_key, retailer, product_code, product_name, category, first_sold_on, last_sold_on
from {{ served('gold', ref('int_retail_products')) }}
