{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

with days as (

    select
        product_days.*,
        row_number() over (partition by product_key order by sale_date desc) as age
    from {{ derived_after(
        'marts', ref('mv_daily_sales_by_product'), 'sale_date', ref('int_retail_touched_days')
    ) }} as product_days
    where {{ is_touched('retailer', ref('int_retail_touched_retailers')) }}

),

products as (

    select
        retailer,
        product_key,
        max(product_code) as product_code,
        max(case when age = 1 then product_name end) as product_name,
        max(case when age = 1 then category end) as category,
        {{ summed_measures() }}
    from days
    group by retailer, product_key

)

select
    retailer,
    cast(
        row_number() over (partition by retailer order by net_amount desc, product_code) as integer
    ) as revenue_rank,
    product_key,
    product_code,
    product_name,
    category,
    line_count,
    net_quantity,
    gross_amount,
    discount_amount,
    return_amount,
    net_amount,
    case
        when sum(net_amount) over (partition by retailer) > 0
            then {{ share('net_amount', 'sum(net_amount) over (partition by retailer)') }}
    end as net_amount_share
from products
