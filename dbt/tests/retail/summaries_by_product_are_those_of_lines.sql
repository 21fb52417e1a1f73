-- mv_daily_sales_by_product, mv_monthly_sales_by_category and mv_top_products_by_revenue of the touched
-- days, months and retailers are what they are by definition, counted from the lines: once for all
-- three. A line counts in the category that its product had when it was last sold on the day. What a
-- product sold in all is counted for a part of the products at a time; its rank and its share among all.
{% set amounts = [
    'retailer', 'product_key', 'product_code', 'product_name', 'category', 'line_count',
    'net_quantity', 'gross_amount', 'discount_amount', 'return_amount', 'net_amount',
] | join(', ') %}
{% set places = 'retailer, product_key, revenue_rank, net_amount_share' %}
{% set top = ref('mv_top_products_by_revenue') %}
{% set touched_days = "(select sale_date from " ~ ref('int_retail_touched_days') ~ ")" %}
{% set touched_months = "(select month_start from " ~ ref('int_retail_touched_months') ~ ")" %}
{% set touched_retailers = "(select retailer from " ~ ref('int_retail_touched_retailers') ~ ")" %}
with lines as (

    {{ lines_after() }}

),

-- The days of the touched months have the touched days among them. Of two products with one key
-- neither is shown.
products as (

    select
        sale_date,
        product_key,
        case when min(retailer) = max(retailer) then max(retailer) end as retailer,
        case when min(product_code) = max(product_code) then max(product_code) end as product_code,
        (array_agg(array[product_name, category] order by sold_at desc, _record_id))[1:1] as names,
        {{ sale_measures() }}
    from lines
    where {{ is_touched(
        period_start('month', 'sale_date'), ref('int_retail_touched_months'), 'month_start'
    ) }}
        or (
            {{ is_touched('retailer', ref('int_retail_touched_retailers')) }}
            and {{ is_in_part('product_key') }}
        )
    group by sale_date, product_key

),

days as (

    select
        products.*,
        {{ period_start('month', 'sale_date') }} as month_start,
        names[1][1] as product_name,
        names[1][2] as category
    from products

),

expected_days as (

    select
        sale_date,
        product_key,
        retailer,
        product_code,
        product_name,
        category,
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

expected_months as (

    select
        month_start,
        cast(extract(year from month_start) as integer) as year,
        cast(extract(month from month_start) as integer) as month,
        retailer,
        category,
        count(distinct product_key) as product_count,
        {{ summed_measures() }}
    from days
    where month_start in {{ touched_months }}
    group by month_start, retailer, category

),

measured as (

    select
        retailer,
        product_key,
        product_code,
        (array_agg(product_name order by sale_date desc))[1] as product_name,
        (array_agg(category order by sale_date desc))[1] as category,
        {{ summed_measures() }}
    from days
    where retailer in {{ touched_retailers }}
        and {{ is_in_part('product_key') }}
    group by retailer, product_key, product_code

),

of_retailer as (

    select retailer, sum(net_amount) as net_amount
    from {{ top }}
    group by retailer

),

placed as (

    select
        top.retailer,
        top.product_key,
        cast(
            row_number() over (
                partition by top.retailer order by top.net_amount desc, top.product_code
            ) as integer
        ) as revenue_rank,
        case
            when of_retailer.net_amount > 0
                then {{ share('top.net_amount', 'of_retailer.net_amount') }}
        end as net_amount_share
    from {{ top }} as top
    inner join of_retailer on top.retailer = of_retailer.retailer

)

{% for what, found, expected in [
    ('a day', ref('mv_daily_sales_by_product'), 'expected_days'),
    ('a month', ref('mv_monthly_sales_by_category'), 'expected_months'),
    (
        'all that it sold',
        '(select ' ~ amounts ~ ' from ' ~ top ~ ' where ' ~ is_in_part('product_key') ~ ')',
        '(select ' ~ amounts ~ ' from measured)',
    ),
    ('its place', '(select ' ~ places ~ ' from ' ~ top ~ ')', 'placed'),
] %}
{{ 'union all' if not loop.first }}

select
    '{{ what }}' as what,
    differing.which,
    differing.retailer,
    {{ 'differing.category' if what == 'a month' else 'cast(differing.product_key as varchar)' }} as name
from (
    {{ differences(found, expected) }}
) as differing
{% endfor %}
