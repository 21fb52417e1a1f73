{{ config(schema='marts', materialized='view', tags=['published']) }}

select
    cast(0 as bigint) as customer_key,
    'unknown' as retailer,
    'unknown' as customer_id,
    cast(null as date) as first_sale_on,
    cast(null as date) as last_sale_on

union all

select customer_key, retailer, customer_id, first_sale_on, last_sale_on
from {{ served('gold', ref('int_retail_customers')) }}
