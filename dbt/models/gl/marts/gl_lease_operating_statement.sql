{{ config(schema='marts', materialized='view', tags=['published']) }}

with sums as (

    select
        activity.fiscal_period,
        activity.lease_name,
        activity.property_id,
        activity.well_id,
        activity.basin,
        activity.state,
        {{ volume_of('OIL', 'activity') }} as oil_bbl,
        {{ volume_of('GAS', 'activity') }} as gas_mcf,
        {{ volume_of('NGL', 'activity') }} as ngl_gal,
        {{ total('-activity.amount', "activity.account_class = 'REVENUE'") }} as revenue,
        {{ total('activity.amount', is_under(tax_captions())) }} as production_tax,
        {{ total('activity.amount', is_under(lifting_captions() + gathering_captions())) }}
            as operating_expense
    from {{ served('gold', ref('int_gl_activity')) }} as activity
    inner join (
        {{ chart_of_accounts() }}
    ) as chart on activity.account_code = chart.account_code
    where activity.well_id is not null
        and activity.entry_kind = 'ordinary'
        and chart.statement = 'income_statement'
    group by
        activity.fiscal_period,
        activity.lease_name,
        activity.property_id,
        activity.well_id,
        activity.basin,
        activity.state

)

select
    fiscal_period,
    lease_name,
    property_id,
    well_id,
    basin,
    state,
    oil_bbl,
    gas_mcf,
    ngl_gal,
    {{ boe('oil_bbl', 'gas_mcf', 'ngl_gal') }} as boe,
    revenue,
    production_tax,
    operating_expense,
    cast(revenue - production_tax - operating_expense as decimal(18, 2)) as net_operating_income
from sums
