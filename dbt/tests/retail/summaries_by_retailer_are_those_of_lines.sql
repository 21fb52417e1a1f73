-- mv_daily_sales_summary, mv_weekly_sales_trends and mv_quarterly_sales_summary of the touched days,
-- weeks and quarters are what they are by definition, counted from the lines: once for all three.
{% set touched_days = "(select sale_date from " ~ ref('int_retail_touched_days') ~ ")" %}
{% set touched_weeks = "(select week_start from " ~ ref('int_retail_touched_weeks') ~ ")" %}
{% set touched_quarters = "(select quarter_start from " ~ ref('int_retail_touched_quarters') ~ ")" %}
{% set week_after = plus_days('week_start', 7) %}
with lines as (

    {{ lines_after() }}

),

-- The days of the touched quarters have the touched days among them.
sums as (

    select
        sale_date,
        retailer,
        count(distinct customer_id) as customer_count,
        {{ sale_measures() }}
    from lines
    where {{ is_touched(
        period_start('quarter', 'sale_date'), ref('int_retail_touched_quarters'), 'quarter_start'
    ) }}
        or {{ period_start('week', 'sale_date') }} in {{ touched_weeks }}
        or {{ plus_days(period_start('week', 'sale_date'), 7) }} in {{ touched_weeks }}
    group by sale_date, retailer

),

days as (

    select
        sums.*,
        {{ period_start('week', 'sale_date') }} as week_start,
        {{ period_start('quarter', 'sale_date') }} as quarter_start
    from sums

),

weeks as (

    select
        week_start,
        retailer,
        cast(sum(sale_count) as bigint) as sale_count,
        {{ summed_measures() }}
    from days
    where week_start in {{ touched_weeks }}
        or {{ week_after }} in {{ touched_weeks }}
    group by week_start, retailer

),

expected_days as (

    select
        sale_date,
        retailer,
        customer_count,
        line_count,
        sale_count,
        net_quantity,
        gross_amount,
        discount_amount,
        return_amount,
        net_amount,
        tax_amount,
        shipping_amount
    from days
    where sale_date in {{ touched_days }}

),

expected_weeks as (

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
        weeks.net_amount - previous.net_amount as net_amount_change,
        case
            when previous.net_amount > 0
                then {{ share('(weeks.net_amount - previous.net_amount)', 'previous.net_amount') }}
        end as net_amount_change_share
    from weeks
    left join weeks as previous
        on previous.retailer = weeks.retailer
        and {{ plus_days('previous.week_start', 7) }} = weeks.week_start
    where weeks.week_start in {{ touched_weeks }}

),

expected_quarters as (

    select
        quarter_start,
        cast(extract(year from quarter_start) as integer) as year,
        cast(extract(quarter from quarter_start) as integer) as quarter,
        retailer,
        count(*) as sale_day_count,
        cast(sum(sale_count) as bigint) as sale_count,
        {{ summed_measures() }}
    from days
    where quarter_start in {{ touched_quarters }}
    group by quarter_start, retailer

)

{% for summary, expected, period in [
    ('mv_daily_sales_summary', 'expected_days', 'sale_date'),
    ('mv_weekly_sales_trends', 'expected_weeks', 'week_start'),
    ('mv_quarterly_sales_summary', 'expected_quarters', 'quarter_start'),
] %}
{{ 'union all' if not loop.first }}

select '{{ summary }}' as summary, differing.which, differing.{{ period }} as period, differing.retailer
from (
    {{ differences(ref(summary), expected) }}
) as differing
{% endfor %}
