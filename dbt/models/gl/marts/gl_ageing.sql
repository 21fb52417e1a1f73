{{ config(schema='marts', materialized='view', tags=['published']) }}

-- The balance of each open item after every period that moved it, which stands until the next one.
with periods as (

    select fiscal_period, max(last_posted_on) as ended_on
    from {{ served('gold', ref('int_gl_balances')) }}
    group by fiscal_period

),

items as (

    select
        account_code,
        party_type,
        party_id,
        document,
        fiscal_period,
        sum(amount) over item as balance,
        min(coalesce(due_date, first_posted_on)) over (
            partition by account_code, party_id, document
        ) as due_on,
        lead(fiscal_period) over item as next_period
    from {{ served('gold', ref('int_gl_open_items')) }}
    window item as (partition by account_code, party_id, document order by fiscal_period)

),

aged as (

    select
        periods.fiscal_period,
        items.account_code,
        items.party_type,
        items.party_id,
        items.balance,
        periods.ended_on - items.due_on as days_late
    from items
    inner join periods
        on items.fiscal_period <= periods.fiscal_period
        and (items.next_period is null or periods.fiscal_period < items.next_period)
    inner join (
        {{ chart_of_accounts() }}
    ) as chart on items.account_code = chart.account_code
    where items.balance <> 0
        and chart.control <> ''

)

select
    fiscal_period,
    account_code,
    party_type,
    party_id,
    {{ total('balance', 'days_late <= 0') }} as not_due,
    {{ total('balance', 'days_late between 1 and 30') }} as days_1_30,
    {{ total('balance', 'days_late between 31 and 60') }} as days_31_60,
    {{ total('balance', 'days_late between 61 and 90') }} as days_61_90,
    {{ total('balance', 'days_late > 90') }} as over_90,
    cast(sum(balance) as decimal(18, 2)) as total
from aged
group by fiscal_period, account_code, party_type, party_id
