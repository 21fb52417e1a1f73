{#
    The statements, as queries of the balances by period (`int_gl_balances`): of those that readers
    see for the views, and of those after the publication being made for its tests.

    Entries of the kind `opening` bring balances forward: they are part of a period's opening balance,
    and of no flow.
#}

{#
    The accounts that have lines, as the chart has them; one that it lacks, as its lines call it.
    Columns: account_code, first_period, account_name, account_class, statement, caption, cash_flow,
    control.
#}
{% macro accounts_with_lines(balances) -%}
    select
        used.account_code,
        used.first_period,
        coalesce(chart.account_name, used.account_name) as account_name,
        coalesce(chart.account_class, used.account_class) as account_class,
        coalesce(chart.statement, '') as statement,
        coalesce(chart.caption, used.account_name) as caption,
        coalesce(chart.cash_flow, 'Other changes') as cash_flow,
        coalesce(chart.control, '') as control
    from (
        select
            account_code,
            min(fiscal_period) as first_period,
            max(account_name) as account_name,
            max(account_class) as account_class
        from {{ balances }} as balances
        group by account_code
    ) as used
    left join (
        {{ chart_of_accounts() }}
    ) as chart on used.account_code = chart.account_code
{%- endmacro %}


{# Debit is positive. Each account in every period from its first line to the last period. #}
{% macro trial_balance(balances) -%}
    with accounts as (

        {{ accounts_with_lines(balances) }}

    ),

    moved as (

        select
            fiscal_period,
            account_code,
            {{ total('debit', "entry_kind <> 'opening'") }} as debits,
            {{ total('credit', "entry_kind <> 'opening'") }} as credits,
            {{ total('amount') }} as amount
        from {{ balances }} as balances
        group by fiscal_period, account_code

    ),

    periods as (

        select distinct fiscal_period from moved

    ),

    running as (

        select
            periods.fiscal_period,
            accounts.account_code,
            accounts.account_name,
            accounts.account_class,
            cast(coalesce(moved.debits, 0) as decimal(18, 2)) as debits,
            cast(coalesce(moved.credits, 0) as decimal(18, 2)) as credits,
            sum(coalesce(moved.amount, 0)) over (
                partition by accounts.account_code
                order by periods.fiscal_period
                rows between unbounded preceding and current row
            ) as closing_balance
        from accounts
        inner join periods on accounts.first_period <= periods.fiscal_period
        left join moved
            on accounts.account_code = moved.account_code
            and periods.fiscal_period = moved.fiscal_period

    )

    select
        fiscal_period,
        account_code,
        account_name,
        account_class,
        cast(closing_balance - debits + credits as decimal(18, 2)) as opening_balance,
        debits,
        credits,
        cast(closing_balance as decimal(18, 2)) as closing_balance
    from running
{%- endmacro %}


{# Revenue and expense are positive. The entries that close a year are left out. #}
{% macro income_statement(balances) -%}
    with accounts as (

        {{ accounts_with_lines(balances) }}

    ),

    moved as (

        select
            fiscal_period,
            account_code,
            {{ total('amount') }} as amount
        from {{ balances }} as balances
        where entry_kind <> 'closing'
        group by fiscal_period, account_code

    ),

    periods as (

        select distinct fiscal_period from moved

    ),

    of_years as (

        select
            account_code,
            {{ year_of('fiscal_period') }} as fiscal_year,
            min(fiscal_period) as first_period
        from moved
        group by account_code, {{ year_of('fiscal_period') }}

    ),

    signed as (

        select
            periods.fiscal_period,
            of_years.fiscal_year,
            accounts.caption,
            accounts.account_code,
            accounts.account_name,
            case
                when accounts.account_class = 'REVENUE' then -coalesce(moved.amount, 0)
                else coalesce(moved.amount, 0)
            end as amount
        from accounts
        inner join of_years on accounts.account_code = of_years.account_code
        inner join periods
            on of_years.fiscal_year = {{ year_of('periods.fiscal_period') }}
            and of_years.first_period <= periods.fiscal_period
        left join moved
            on accounts.account_code = moved.account_code
            and periods.fiscal_period = moved.fiscal_period
        where accounts.account_class in ('REVENUE', 'EXPENSE')

    )

    select
        fiscal_period,
        caption,
        account_code,
        account_name,
        cast(amount as decimal(18, 2)) as amount,
        cast(
            sum(amount) over (
                partition by account_code, fiscal_year
                order by fiscal_period
                rows between unbounded preceding and current row
            ) as decimal(18, 2)
        ) as year_to_date
    from signed
{%- endmacro %}


{#
    Assets are positive by debit, liabilities and equity by credit. What income and expense are not
    yet closed stands in equity, so that assets = liabilities + equity.
#}
{% macro balance_sheet(balances) -%}
    with trial_balance as (

        {{ trial_balance(balances) }}

    ),

    accounts as (

        {{ accounts_with_lines(balances) }}

    )

    select
        trial_balance.fiscal_period,
        case trial_balance.account_class
            when 'ASSET' then 'Assets'
            when 'LIABILITY' then 'Liabilities'
            else 'Equity'
        end as section,
        accounts.caption,
        trial_balance.account_code,
        trial_balance.account_name,
        cast(
            case
                when trial_balance.account_class = 'ASSET' then trial_balance.closing_balance
                else -trial_balance.closing_balance
            end as decimal(18, 2)
        ) as amount
    from trial_balance
    inner join accounts on trial_balance.account_code = accounts.account_code
    where trial_balance.account_class in ('ASSET', 'LIABILITY', 'EQUITY')

    union all

    select
        fiscal_period,
        'Equity' as section,
        'Net income of the year' as caption,
        cast(null as varchar) as account_code,
        'Net income of the year' as account_name,
        cast(-sum(closing_balance) as decimal(18, 2)) as amount
    from trial_balance
    where account_class in ('REVENUE', 'EXPENSE')
    group by fiscal_period
{%- endmacro %}


{#
    By the indirect method: a change of an account other than cash is a flow of cash the other way. The
    cost of a dry hole left work in progress without cash: it is added back, and taken off capital
    expenditure.
#}
{% macro cash_flow(balances) -%}
    with accounts as (

        {{ accounts_with_lines(balances) }}

    ),

    flows as (

        select
            balances.fiscal_period,
            accounts.cash_flow as caption,
            -balances.amount as amount
        from {{ balances }} as balances
        inner join accounts on balances.account_code = accounts.account_code
        where balances.entry_kind <> 'opening'
            and accounts.account_class <> 'STATISTICAL'
            and accounts.cash_flow <> 'Cash'

        union all

        select
            balances.fiscal_period,
            parts.caption,
            parts.sign * balances.amount as amount
        from {{ balances }} as balances
        cross join (
            select 'Dry hole cost' as caption, 1 as sign
            union all
            select 'Capital expenditure' as caption, -1 as sign
        ) as parts
        where balances.account_code = '8400'
            and balances.entry_kind = 'ordinary'

    )

    select
        fiscal_period,
        case
            when caption = 'Capital expenditure' then 'Investing'
            when caption in ('Borrowing', 'Capital paid in') then 'Financing'
            else 'Operating'
        end as section,
        caption,
        {{ total('amount') }} as amount
    from flows
    group by fiscal_period, caption
{%- endmacro %}


{#
    Each control account beside its subledger: open items by party and document, or the lines that name
    a well or an AFE. Debit is positive, for both at the end of the period.
#}
{% macro subledgers(balances, activity, open_items) -%}
    with accounts as (

        {{ accounts_with_lines(balances) }}

    ),

    periods as (

        select distinct fiscal_period
        from {{ balances }} as balances

    ),

    in_subledger as (

        select account_code, fiscal_period, sum(amount) as amount
        from {{ open_items }} as open_items
        group by account_code, fiscal_period

        union all

        select activity.account_code, activity.fiscal_period, sum(activity.amount) as amount
        from {{ activity }} as activity
        inner join accounts on activity.account_code = accounts.account_code
        where (accounts.control = 'well' and activity.well_id is not null)
            or (accounts.control = 'afe' and activity.afe_number is not null)
        group by activity.account_code, activity.fiscal_period

    ),

    moved as (

        select
            account_code,
            fiscal_period,
            sum(in_control) as in_control,
            sum(in_subledger) as in_subledger
        from (
            select account_code, fiscal_period, amount as in_control, 0 as in_subledger
            from {{ balances }} as balances

            union all

            select account_code, fiscal_period, 0 as in_control, amount as in_subledger
            from in_subledger
        ) as both_sides
        group by account_code, fiscal_period

    ),

    running as (

        select
            periods.fiscal_period,
            accounts.account_code,
            cast(sum(coalesce(moved.in_control, 0)) over account as decimal(18, 2))
                as control_balance,
            cast(sum(coalesce(moved.in_subledger, 0)) over account as decimal(18, 2))
                as subledger_balance
        from accounts
        inner join periods on accounts.first_period <= periods.fiscal_period
        left join moved
            on accounts.account_code = moved.account_code
            and periods.fiscal_period = moved.fiscal_period
        where accounts.control not in ('', 'material')
        window account as (
            partition by accounts.account_code
            order by periods.fiscal_period
            rows between unbounded preceding and current row
        )

    )

    select
        fiscal_period,
        account_code,
        control_balance,
        subledger_balance,
        cast(control_balance - subledger_balance as decimal(18, 2)) as difference
    from running
{%- endmacro %}
