{{ config(schema='marts', materialized='view', tags=['published']) }}

select
    provider,
    account,
    livemode,
    currency,
    account_code,
    count(*) as line_count,
    {{ minor_sum('debit_minor') }} as debit_minor,
    {{ minor_sum('credit_minor') }} as credit_minor,
    {{ minor_sum('debit_minor - credit_minor') }} as balance_minor
from {{ ref('payment_journal') }}
group by provider, account, livemode, currency, account_code
