{{ config(schema='marts', materialized='view', tags=['published']) }}

select
    cast(first_at as date) as attempted_on,
    provider,
    account,
    livemode,
    currency,
    failure_code,
    count(*) as failed_payments,
    count(case when was_approved then 1 end) as recovered_payments,
    {{ minor_sum('captured_minor') }} as recovered_minor,
    {{ share('count(case when was_approved then 1 end)', 'count(*)') }} as recovery_rate
from {{ served('marts', ref('payments')) }}
where failures > 0
group by cast(first_at as date), provider, account, livemode, currency, failure_code
