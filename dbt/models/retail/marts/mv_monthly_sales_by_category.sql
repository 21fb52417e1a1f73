{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

with days as (

    select
        product_days.*,
        {{ period_start('month', 'product_days.sale_date') }} as month_start
    from {{ derived_after(
        'marts', ref('mv_daily_sales_by_product'), 'sale_date', ref('int_retail_touched_days')
    ) }} as product_days

)

select
    month_start,
    cast(extract(year from month_start) as integer) as year,
    cast(extract(month from month_start) as integer) as month,
    retailer,
    category,
    count(distinct product_key) as product_count,
    {{ summed_measures() }}
from days
where month_start in (select month_start from {{ ref('int_retail_touched_months') }})
group by month_start, retailer, category
