-- What moved a control account in a touched period moved its subledger by as much: open items by party
-- and document, or what names a well or an AFE.
with controls as (

    select account_code, control
    from (
        {{ chart_of_accounts() }}
    ) as chart
    where control not in ('', 'material')

),

moved as (

    select balances.fiscal_period, balances.account_code, balances.amount
    from {{ ref('int_gl_balances') }} as balances
    inner join controls on balances.account_code = controls.account_code

    union all

    select activity.fiscal_period, activity.account_code, -activity.amount as amount
    from {{ ref('int_gl_activity') }} as activity
    inner join controls on activity.account_code = controls.account_code
    where (controls.control = 'well' and activity.well_id is not null)
        or (controls.control = 'afe' and activity.afe_number is not null)

    union all

    select items.fiscal_period, items.account_code, -items.amount as amount
    from {{ derived_after(
        'gold', ref('int_gl_open_items'), 'document', ref('int_gl_touched_documents')
    ) }} as items
    inner join controls on items.account_code = controls.account_code
    where controls.control not in ('well', 'afe')
        and items.fiscal_period in (
            select fiscal_period from {{ ref('int_gl_touched_periods') }}
        )

)

select fiscal_period, account_code, sum(amount) as difference
from moved
group by fiscal_period, account_code
having sum(amount) <> 0
