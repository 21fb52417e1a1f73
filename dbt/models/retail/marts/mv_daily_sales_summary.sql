{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

select
    sale_date,
    retailer,
    count(distinct customer_id) as customer_count,
    {{ sale_measures() }}
from {{ ref('int_retail_touched_sales') }}
group by sale_date, retailer
