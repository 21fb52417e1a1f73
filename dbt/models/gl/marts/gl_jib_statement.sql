{{ config(schema='marts', materialized='view', tags=['published']) }}

-- A partner's bill for a well's costs of a month ends with the month: it is known once it was made. Where
-- a month was billed more than once, a cost is in the first bill made after it was recorded, of its AFE if
-- there is one. A bill that sums to nothing was taken back; one of an AFE was set against its cash call.
with billed as (

    select
        party_id as partner_id,
        well_id,
        jib_number,
        substr(right(jib_number, 6), 1, 4) || '-' || right(jib_number, 2) as cost_period,
        max(afe_number) as afe_number,
        min(first_posted_on) as billed_on
    from {{ served('gold', ref('int_gl_activity')) }}
    where account_code = '1130'
        and jib_number is not null
    group by party_id, well_id, jib_number
    having sum(amount) <> 0 or max(afe_number) is not null

),

costs as (

    select
        costs.fiscal_period,
        costs.partner_id,
        costs.well_id,
        coalesce(costs.jib_number, billed.jib_number) as jib_number,
        costs.account_code,
        costs.amount,
        row_number() over (
            partition by
                costs.fiscal_period, costs.partner_id, costs.well_id, costs.afe_number,
                costs.jib_number, costs.account_code, costs.late_on
            order by
                case when billed.afe_number = costs.afe_number then 0 else 1 end,
                billed.billed_on,
                billed.jib_number
        ) as place
    from {{ served('gold', ref('int_gl_partner_costs')) }} as costs
    left join billed
        on costs.partner_id = billed.partner_id
        and costs.well_id = billed.well_id
        and costs.fiscal_period = billed.cost_period
        and (costs.late_on is null or costs.late_on <= billed.billed_on)
    where not costs.is_estimate

)

select
    costs.fiscal_period,
    costs.partner_id,
    costs.well_id,
    costs.jib_number,
    costs.account_code,
    chart.account_name as caption,
    cast(sum(costs.amount) as decimal(18, 2)) as amount
from costs
inner join (
    {{ chart_of_accounts() }}
) as chart on costs.account_code = chart.account_code
where costs.place = 1
group by
    costs.fiscal_period,
    costs.partner_id,
    costs.well_id,
    costs.jib_number,
    costs.account_code,
    chart.account_name
