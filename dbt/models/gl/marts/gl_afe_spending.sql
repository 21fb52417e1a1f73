{{ config(schema='marts', materialized='view', tags=['published']) }}

-- Gross is what the operator spent for all owners: its own part, and what its partners owe for theirs.
with sums as (

    select
        afe_number,
        max(well_id) as well_id,
        {{ total('quantity', "account_code = '9500'") }} as budget,
        {{ total(
            'amount', "account_code between '6100' and '6499' or account_code = '1140'"
        ) }} as spent_gross,
        {{ total('amount', "account_code between '6100' and '6499'") }} as spent_net,
        max(case when account_code between '6100' and '6499' then last_posted_on end)
            as last_spent_on
    from {{ served('gold', ref('int_gl_activity')) }}
    where afe_number is not null
    group by afe_number

)

select
    afe_number,
    well_id,
    budget,
    spent_gross,
    spent_net,
    cast(budget - spent_gross as decimal(18, 2)) as remaining,
    case
        when budget > 0 then cast(
            {{ half_up(cents('spent_gross') ~ ' * 10000', cents('budget')) }}
            * cast(0.01 as decimal(3, 2)) as decimal(9, 2)
        )
    end as percent_spent,
    last_spent_on
from sums
