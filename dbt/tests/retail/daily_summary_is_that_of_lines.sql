-- mv_daily_sales_summary of the touched days is what it is by definition, counted from the lines.
with lines as (

    {{ lines_after() }}

),

expected as (

    select
        sale_date,
        retailer,
        count(distinct customer_id) as customer_count,
        {{ sale_measures() }}
    from lines
    where sale_date in (select sale_date from {{ ref('int_retail_touched_days') }})
    group by sale_date, retailer

)

{{ differences(ref('mv_daily_sales_summary'), 'expected') }}
