{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

with days as (

    select
        summary.*,
        {{ period_start('quarter', 'summary.sale_date') }} as quarter_start
    from {{ derived_after(
        'marts', ref('mv_daily_sales_summary'), 'sale_date', ref('int_retail_touched_days')
    ) }} as summary

)

select
    quarter_start,
    cast(extract(year from quarter_start) as integer) as year,
    cast(extract(quarter from quarter_start) as integer) as quarter,
    retailer,
    cast(count(distinct sale_date) as bigint) as sale_day_count,
    cast(sum(sale_count) as bigint) as sale_count,
    {{ summed_measures() }}
from days
where quarter_start in (select quarter_start from {{ ref('int_retail_touched_quarters') }})
group by quarter_start, retailer
