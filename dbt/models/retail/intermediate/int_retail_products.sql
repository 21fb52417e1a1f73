{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

with days as (

    select
        product_days.*,
        row_number() over (partition by product_key order by sale_date desc) as age
    from {{ derived_after(
        'marts', ref('mv_daily_sales_by_product'), 'sale_date', ref('int_retail_touched_days')
    ) }} as product_days
    where {{ is_touched('product_key', ref('int_retail_touched_products')) }}

)

select
    product_key,
    max(retailer) as retailer,
    max(product_code) as product_code,
    max(case when age = 1 then product_name end) as product_name,
    max(case when age = 1 then category end) as category,
    min(sale_date) as first_sold_on,
    max(sale_date) as last_sold_on
from days
group by product_key
