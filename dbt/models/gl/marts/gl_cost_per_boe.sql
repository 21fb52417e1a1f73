{{ config(schema='marts', materialized='view', tags=['published']) }}

-- What belongs to no basin is in the row of all basins only.
{% set costs = ['operating_expense', 'production_tax', 'gathering', 'general_administrative', 'depletion'] %}
with lines as (

    select
        activity.fiscal_period,
        activity.basin,
        activity.account_class,
        activity.product,
        activity.quantity,
        activity.amount,
        chart.caption
    from {{ served('gold', ref('int_gl_activity')) }} as activity
    inner join (
        {{ chart_of_accounts() }}
    ) as chart on activity.account_code = chart.account_code
    where activity.entry_kind = 'ordinary'
        and chart.statement = 'income_statement'

),

placed as (

    select lines.*, lines.basin as place
    from lines
    where lines.basin is not null

    union all

    select lines.*, 'All basins' as place
    from lines

),

sums as (

    select
        chart.fiscal_period,
        chart.place as basin,
        {{ volume_of('OIL', 'chart') }} as oil_bbl,
        {{ volume_of('GAS', 'chart') }} as gas_mcf,
        {{ volume_of('NGL', 'chart') }} as ngl_gal,
        {{ total('chart.amount', is_under(lifting_captions())) }} as operating_expense,
        {{ total('chart.amount', is_under(tax_captions())) }} as production_tax,
        {{ total('chart.amount', is_under(gathering_captions())) }} as gathering,
        {{ total('chart.amount', is_under(['General and administrative'])) }}
            as general_administrative,
        {{ total('chart.amount', is_under(['Depletion, depreciation and amortization'])) }}
            as depletion
    from placed as chart
    group by chart.fiscal_period, chart.place

),

figures as (

    select
        sums.*,
        {{ boe('oil_bbl', 'gas_mcf', 'ngl_gal') }} as boe
    from sums

)

select
    fiscal_period,
    basin,
    boe,
    {{ costs | join(',\n    ') }},
    {%- for cost in costs %}
    {{ unit_price(cost, 'boe') }} as {{ cost }}_per_boe{{ ',' if not loop.last }}
    {%- endfor %}
from figures
