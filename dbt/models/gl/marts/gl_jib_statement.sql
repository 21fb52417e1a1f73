{{ config(schema='marts', materialized='view', tags=['published']) }}

-- A well's bill for the costs of a month ends with the month: it is known once it was made. Where a
-- month was billed again, its costs are shown once, under the first number.
with bills as (

    select
        well_id,
        cost_period,
        min(jib_number) as jib_number
    from (
        select
            well_id,
            jib_number,
            substr(right(jib_number, 6), 1, 4) || '-' || right(jib_number, 2) as cost_period
        from {{ served('gold', ref('int_gl_activity')) }}
        where account_code = '1130'
            and jib_number is not null
    ) as billed
    group by well_id, cost_period

)

select
    costs.fiscal_period,
    costs.partner_id,
    costs.well_id,
    coalesce(costs.jib_number, bills.jib_number) as jib_number,
    costs.account_code,
    chart.account_name as caption,
    cast(sum(costs.amount) as decimal(18, 2)) as amount
from {{ served('gold', ref('int_gl_partner_costs')) }} as costs
inner join (
    {{ chart_of_accounts() }}
) as chart on costs.account_code = chart.account_code
left join bills
    on costs.well_id = bills.well_id
    and costs.fiscal_period = bills.cost_period
where not costs.is_estimate
group by
    costs.fiscal_period,
    costs.partner_id,
    costs.well_id,
    coalesce(costs.jib_number, bills.jib_number),
    costs.account_code,
    chart.account_name
