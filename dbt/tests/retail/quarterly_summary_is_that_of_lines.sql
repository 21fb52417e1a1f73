-- mv_quarterly_sales_summary of the touched quarters is what it is by definition, counted from the
-- lines.
with lines as (

    {{ lines_after() }}

),

measured as (

    select
        {{ period_start('quarter', 'sale_date') }} as quarter_start,
        retailer,
        count(distinct sale_date) as sale_day_count,
        count(distinct concat(cast(sale_date as varchar), '|', sale_id)) as sales_by_day,
        {{ sale_measures() }}
    from lines
    where {{ period_start('quarter', 'sale_date') }} in (
        select quarter_start from {{ ref('int_retail_touched_quarters') }}
    )
    group by {{ period_start('quarter', 'sale_date') }}, retailer

),

expected as (

    select
        quarter_start,
        cast(extract(year from quarter_start) as integer) as year,
        cast(extract(quarter from quarter_start) as integer) as quarter,
        retailer,
        sale_day_count,
        sales_by_day as sale_count,
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

{{ differences(ref('mv_quarterly_sales_summary'), 'expected') }}
