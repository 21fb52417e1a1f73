-- mv_monthly_sales_by_category of the touched months is what it is by definition, counted from the
-- lines: a line counts in the category that its product had when it was last sold on the day.
with lines as (

    {{ lines_after() }}

),

touched as (

    select
        lines.*,
        {{ period_start('month', 'sale_date') }} as month_start,
        first_value(category) over (
            partition by sale_date, product_key order by sold_at desc, _record_id
        ) as category_of_day
    from lines
    where {{ period_start('month', 'sale_date') }} in (
        select month_start from {{ ref('int_retail_touched_months') }}
    )

),

measured as (

    select
        month_start,
        retailer,
        category_of_day,
        count(distinct product_key) as product_count,
        {{ sale_measures() }}
    from touched
    group by month_start, retailer, category_of_day

),

expected as (

    select
        month_start,
        cast(extract(year from month_start) as integer) as year,
        cast(extract(month from month_start) as integer) as month,
        retailer,
        category_of_day as category,
        product_count,
        line_count,
        net_quantity,
        gross_amount,
        discount_amount,
        return_amount,
        net_amount,
        tax_amount,
        shipping_amount
    from measured

)

{{ differences(ref('mv_monthly_sales_by_category'), 'expected') }}
