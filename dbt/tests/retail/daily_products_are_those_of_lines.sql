-- mv_daily_sales_by_product of the touched days is what it is by definition, counted from the lines.
with lines as (

    {{ lines_after() }}

),

expected as (

    select
        sale_date,
        product_key,
        retailer,
        product_code,
        {{ last_sold('product_name') }} as product_name,
        {{ last_sold('category') }} as category,
        {{ sale_measures() }}
    from lines
    where sale_date in (select sale_date from {{ ref('int_retail_touched_days') }})
    group by sale_date, product_key, retailer, product_code

)

{{ differences(ref('mv_daily_sales_by_product'), 'expected') }}
