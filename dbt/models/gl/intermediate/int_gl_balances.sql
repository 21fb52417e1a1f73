{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

-- The activity that was built holds the touched periods whole, and no other.
select
    fiscal_period,
    account_code,
    account_name,
    account_class,
    entry_kind,
    cast(sum(line_count) as bigint) as line_count,
    cast(sum(debit) as decimal(18, 2)) as debit,
    cast(sum(credit) as decimal(18, 2)) as credit,
    cast(sum(amount) as decimal(18, 2)) as amount,
    max(last_posted_on) as last_posted_on
from {{ ref('int_gl_activity') }}
group by fiscal_period, account_code, account_name, account_class, entry_kind
