-- mv_top_products_by_revenue of the touched retailers is what it is by definition: what a product
-- sold, counted from the lines for a part of the products at a time; its rank and its share among all.
{% set amounts = [
    'retailer', 'product_key', 'product_code', 'product_name', 'category', 'line_count',
    'net_quantity', 'gross_amount', 'discount_amount', 'return_amount', 'net_amount',
] | join(', ') %}
{% set places = 'retailer, product_key, revenue_rank, net_amount_share' %}
{% set top = ref('mv_top_products_by_revenue') %}
with lines as (

    {{ lines_after() }}

),

measured as (

    select
        retailer,
        product_key,
        product_code,
        {{ last_sold('product_name') }} as product_name,
        {{ last_sold('category') }} as category,
        {{ sale_measures() }}
    from lines
    where retailer in (select retailer from {{ ref('int_retail_touched_retailers') }})
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

select
    'what it sold' as what,
    differing.which,
    differing.product_key
from (
    {{ differences(
        '(select ' ~ amounts ~ ' from ' ~ top ~ ' where ' ~ is_in_part('product_key') ~ ')',
        '(select ' ~ amounts ~ ' from measured)'
    ) }}
) as differing

union all

select
    'its place' as what,
    differing.which,
    differing.product_key
from (
    {{ differences('(select ' ~ places ~ ' from ' ~ top ~ ')', 'placed') }}
) as differing
