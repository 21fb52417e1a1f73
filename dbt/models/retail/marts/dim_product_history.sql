{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

with days as (

    select
        sale_date,
        product_key,
        retailer,
        product_code,
        product_name,
        category,
        row_number() over product as day_number,
        row_number() over version as day_of_version
    from {{ derived_after(
        'marts', ref('mv_daily_sales_by_product'), 'sale_date', ref('int_retail_touched_days')
    ) }} as product_days
    where {{ is_touched('product_key', ref('int_retail_touched_products')) }}
    window
        product as (partition by product_key order by sale_date),
        version as (partition by product_key, product_name, category order by sale_date)

),

-- Days in a row with the same attributes have the same difference of the two numbers.
versions as (

    select
        product_key,
        product_name,
        category,
        max(retailer) as retailer,
        max(product_code) as product_code,
        min(sale_date) as valid_from
    from days
    group by product_key, product_name, category, day_number - day_of_version

)

select
    product_key,
    retailer,
    product_code,
    product_name,
    category,
    valid_from,
    lead(valid_from) over (partition by product_key order by valid_from) as valid_to,
    lead(valid_from) over (partition by product_key order by valid_from) is null as is_current
from versions
