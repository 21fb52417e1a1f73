{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

with sales as (

    select
        touched_sales.*,
        row_number() over (
            partition by sale_date, product_key
            order by sold_at desc, _record_id
        ) as age
    from {{ ref('int_retail_touched_sales') }} as touched_sales

)

select
    sale_date,
    product_key,
    max(retailer) as retailer,
    max(product_code) as product_code,
    -- as last sold on the day
    max(case when age = 1 then product_name end) as product_name,
    max(case when age = 1 then category end) as category,
    {{ sale_measures() }}
from sales
group by sale_date, product_key
