-- In every period, after the publication being made: debits equal credits, assets equal liabilities and
-- equity, the flows of cash sum to the change of cash, and the income statement to what the accounts of
-- income and expense moved.
{% set balances = derived_after(
    'gold', ref('int_gl_balances'), 'fiscal_period', ref('int_gl_touched_periods')
) %}
with trial_balance as (

    {{ trial_balance(balances) }}

),

balance_sheet as (

    {{ balance_sheet(balances) }}

),

cash_flow as (

    {{ cash_flow(balances) }}

),

income_statement as (

    {{ income_statement(balances) }}

),

moved as (

    select balances.fiscal_period, balances.amount, balances.entry_kind, accounts.*
    from {{ balances }} as balances
    inner join (
        {{ accounts_with_lines(balances) }}
    ) as accounts on balances.account_code = accounts.account_code

),

differences as (

    select 'trial balance' as statement, fiscal_period, sum(closing_balance) as difference
    from trial_balance
    group by fiscal_period

    union all

    select 'debits less credits' as statement, fiscal_period, sum(debits - credits) as difference
    from trial_balance
    group by fiscal_period

    union all

    select
        'balance sheet' as statement,
        fiscal_period,
        sum(case when section = 'Assets' then amount else -amount end) as difference
    from balance_sheet
    group by fiscal_period

    union all

    select 'cash flow' as statement, fiscal_period, sum(amount) as difference
    from (
        select fiscal_period, amount from cash_flow

        union all

        select fiscal_period, -amount as amount
        from moved
        where cash_flow = 'Cash' and entry_kind <> 'opening'
    ) as cash
    group by fiscal_period

    union all

    select 'income statement' as statement, fiscal_period, sum(amount) as difference
    from (
        select
            income_statement.fiscal_period,
            case
                when accounts.account_class = 'REVENUE' then -income_statement.amount
                else income_statement.amount
            end as amount
        from income_statement
        inner join (
            {{ accounts_with_lines(balances) }}
        ) as accounts on income_statement.account_code = accounts.account_code

        union all

        select fiscal_period, -amount as amount
        from moved
        where account_class in ('REVENUE', 'EXPENSE') and entry_kind <> 'closing'
    ) as income
    group by fiscal_period

)

select statement, fiscal_period, difference
from differences
where difference <> 0
