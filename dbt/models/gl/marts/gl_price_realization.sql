{{ config(schema='marts', materialized='view', tags=['published']) }}

-- A product's benchmark, and how many hundredths of the benchmark's unit are in how many of the product's:
-- a barrel is a barrel, an mcf of gas holds 1.04 MMBtu, a gallon is the 42nd part of a barrel.
with benchmarks as (

    select 'OIL' as product, 'RWTC' as series, 100 as hundredths, 1 as units
    union all
    select 'GAS' as product, 'RNGWHHD' as series, 104 as hundredths, 1 as units
    union all
    select 'NGL' as product, 'RWTC' as series, 100 as hundredths, 42 as units

),

prices as (

    select
        series,
        substr(cast(period as varchar), 1, 7) as month,
        cast(sum(price) * 10000 as bigint) as sum_of_prices,
        count(*) as days
    from {{ ref('energy_prices') }}
    group by series, substr(cast(period as varchar), 1, 7)

),

sold as (

    select
        production_month,
        product,
        unit,
        cast(sum(quantity) as decimal(18, 3)) as volume,
        cast(-sum(amount) as decimal(18, 2)) as revenue
    from {{ served('gold', ref('int_gl_activity')) }}
    where account_class = 'REVENUE'
        and entry_kind = 'ordinary'
        and production_month is not null
        and unit is not null
    group by production_month, product, unit

),

realized as (

    select
        sold.production_month,
        sold.product,
        sold.unit,
        sold.volume,
        sold.revenue,
        {{ unit_price('sold.revenue', 'sold.volume') }} as realized_price,
        benchmarks.series as benchmark_series,
        cast(
            {{ half_up(
                'prices.sum_of_prices * benchmarks.hundredths', 'prices.days * benchmarks.units * 100'
            ) }}
            * cast(0.0001 as decimal(5, 4)) as decimal(18, 4)
        ) as benchmark_price
    from sold
    left join benchmarks on sold.product = benchmarks.product
    left join prices
        on benchmarks.series = prices.series
        and sold.production_month = prices.month

)

select
    production_month,
    product,
    unit,
    volume,
    revenue,
    realized_price,
    benchmark_series,
    benchmark_price,
    cast(realized_price - benchmark_price as decimal(18, 4)) as differential
from realized
