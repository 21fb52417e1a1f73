{{ config(schema='marts', materialized='view', tags=['published']) }}

select
    provider,
    account,
    livemode,
    customer_id,
    currency,
    count(*) as payments,
    count(case when captured_minor > 0 then 1 end) as captured_payments,
    count(case when failures > 0 then 1 end) as payments_with_failures,
    {{ minor_sum('captured_minor') }} as captured_minor,
    {{ minor_sum('refunded_minor') }} as refunded_minor,
    {{ minor_sum('disputed_minor') }} as disputed_minor,
    min(first_at) as first_at,
    max(last_at) as last_at
from {{ served('marts', ref('payments')) }}
where customer_id is not null
group by provider, account, livemode, customer_id, currency
