-- mv_top_products_by_revenue of the touched retailers is what it is by definition, counted from the
-- lines.
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
    group by retailer, product_key, product_code

),

of_retailer as (

    select retailer, sum(net_amount) as net_amount
    from measured
    group by retailer

),

expected as (

    select
        measured.retailer,
        cast(
            row_number() over (
                partition by measured.retailer
                order by measured.net_amount desc, measured.product_code
            ) as integer
        ) as revenue_rank,
        measured.product_key,
        measured.product_code,
        measured.product_name,
        measured.category,
        measured.line_count,
        measured.net_quantity,
        measured.gross_amount,
        measured.discount_amount,
        measured.return_amount,
        measured.net_amount,
        case
            when of_retailer.net_amount > 0
                then {{ share('measured.net_amount', 'of_retailer.net_amount') }}
        end as net_amount_share
    from measured
    inner join of_retailer on measured.retailer = of_retailer.retailer

)

{{ differences(ref('mv_top_products_by_revenue'), 'expected') }}
