{{ config(schema='marts', materialized='view', tags=['published']) }}

-- Gross is what the operator spent for all owners: its own part, and what its partners are charged or
-- will be. What is accrued is estimated, gross, and not yet invoiced: it stands on 2030 until its reversal.
with parts as (

    select
        afe_number,
        well_id,
        case when account_code = '9500' then quantity else 0 end as budget,
        case when account_code between '6100' and '6499' then amount else 0 end as spent_net,
        0 as partners,
        case when account_code = '2030' then -amount else 0 end as accrued,
        case when account_code between '6100' and '6499' then last_posted_on end as last_spent_on
    from {{ served('gold', ref('int_gl_activity')) }}
    where afe_number is not null

    union all

    select
        afe_number,
        well_id,
        0 as budget,
        0 as spent_net,
        amount as partners,
        0 as accrued,
        cast(null as date) as last_spent_on
    from {{ served('gold', ref('int_gl_partner_costs')) }}
    where afe_number is not null

),

sums as (

    select
        afe_number,
        max(well_id) as well_id,
        {{ total('budget') }} as budget,
        {{ total('spent_net + partners') }} as spent_gross,
        {{ total('spent_net') }} as spent_net,
        {{ total('accrued') }} as accrued_gross,
        max(last_spent_on) as last_spent_on
    from parts
    group by afe_number

)

select
    afe_number,
    well_id,
    budget,
    spent_gross,
    spent_net,
    accrued_gross,
    cast(budget - spent_gross as decimal(18, 2)) as remaining,
    cast(
        case
            when budget > 0 then {{ half_up(cents('spent_gross') ~ ' * 10000', cents('budget')) }}
                * cast(0.01 as decimal(3, 2))
        end as decimal(9, 2)
    ) as percent_spent,
    last_spent_on
from sums
