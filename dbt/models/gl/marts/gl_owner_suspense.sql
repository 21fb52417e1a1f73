{{ config(schema='marts', materialized='view', tags=['published']) }}

-- A credit is owed to the owner: positive here.
with periods as (

    select distinct fiscal_period
    from {{ served('gold', ref('int_gl_balances')) }}

),

moved as (

    select
        party_id,
        fiscal_period,
        sum(-sum(amount)) over owner as amount,
        lead(fiscal_period) over owner as next_period
    from {{ served('gold', ref('int_gl_open_items')) }}
    where account_code = '2120'
    group by party_id, fiscal_period
    window owner as (partition by party_id order by fiscal_period)

)

select
    periods.fiscal_period,
    moved.party_id as owner_id,
    cast(moved.amount as decimal(18, 2)) as amount
from moved
inner join periods
    on moved.fiscal_period <= periods.fiscal_period
    and (moved.next_period is null or periods.fiscal_period < moved.next_period)
where moved.amount <> 0
