{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

with days as (

    select
        summary.*,
        {{ period_start('week', 'summary.sale_date') }} as week_start
    from {{ derived_after(
        'marts', ref('mv_daily_sales_summary'), 'sale_date', ref('int_retail_touched_days')
    ) }} as summary

),

weeks as (

    select
        week_start,
        retailer,
        cast(sum(sale_count) as bigint) as sale_count,
        {{ summed_measures() }}
    from days
    where week_start in (select week_start from {{ ref('int_retail_touched_weeks') }})
        or {{ plus_days('week_start', 7) }} in (
            select week_start from {{ ref('int_retail_touched_weeks') }}
        )
    group by week_start, retailer

)

select
    weeks.week_start,
    {{ iso_year('weeks.week_start') }} as iso_year,
    {{ iso_week('weeks.week_start') }} as iso_week,
    weeks.retailer,
    weeks.sale_count,
    weeks.line_count,
    weeks.net_quantity,
    weeks.gross_amount,
    weeks.discount_amount,
    weeks.return_amount,
    weeks.net_amount,
    weeks.tax_amount,
    weeks.shipping_amount,
    previous.net_amount as previous_net_amount,
    cast(weeks.net_amount - previous.net_amount as decimal(18, 2)) as net_amount_change,
    case
        when previous.net_amount > 0
            then {{ share('(weeks.net_amount - previous.net_amount)', 'previous.net_amount') }}
    end as net_amount_change_share
from weeks
left join weeks as previous
    on weeks.retailer = previous.retailer
    and weeks.week_start = {{ plus_days('previous.week_start', 7) }}
where weeks.week_start in (select week_start from {{ ref('int_retail_touched_weeks') }})
