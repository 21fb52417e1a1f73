-- mv_weekly_sales_trends of the touched weeks is what it is by definition, counted from the lines.
with lines as (

    {{ lines_after() }}

),

weeks as (

    select
        {{ period_start('week', 'sale_date') }} as week_start,
        retailer,
        cast(count(distinct concat(cast(sale_date as varchar), '|', sale_id)) as bigint)
            as sales_by_day,
        {{ sale_measures() }}
    from lines
    where {{ period_start('week', 'sale_date') }} in (
        select week_start from {{ ref('int_retail_touched_weeks') }}
        union
        select {{ plus_days('week_start', -7) }} from {{ ref('int_retail_touched_weeks') }}
    )
    group by {{ period_start('week', 'sale_date') }}, retailer

),

expected as (

    select
        weeks.week_start,
        {{ iso_year('weeks.week_start') }} as iso_year,
        {{ iso_week('weeks.week_start') }} as iso_week,
        weeks.retailer,
        weeks.sales_by_day as sale_count,
        weeks.line_count,
        weeks.net_quantity,
        weeks.gross_amount,
        weeks.discount_amount,
        weeks.return_amount,
        weeks.net_amount,
        weeks.tax_amount,
        weeks.shipping_amount,
        previous.net_amount as previous_net_amount,
        weeks.net_amount - previous.net_amount as net_amount_change,
        case
            when previous.net_amount > 0
                then {{ share('(weeks.net_amount - previous.net_amount)', 'previous.net_amount') }}
        end as net_amount_change_share
    from weeks
    left join weeks as previous
        on previous.retailer = weeks.retailer
        and {{ plus_days('previous.week_start', 7) }} = weeks.week_start
    where weeks.week_start in (select week_start from {{ ref('int_retail_touched_weeks') }})

)

{{ differences(ref('mv_weekly_sales_trends'), 'expected') }}
