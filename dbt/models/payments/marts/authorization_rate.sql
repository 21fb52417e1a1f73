{{ config(schema='marts', materialized='view', tags=['published']) }}

select
    cast(first_at as date) as attempted_on,
    provider,
    account,
    livemode,
    currency,
    method,
    card_brand,
    count(*) as answered_payments,
    count(case when was_approved then 1 end) as approved_payments,
    {{ share('count(case when was_approved then 1 end)', 'count(*)') }} as authorization_rate
from {{ served('marts', ref('payments')) }}
where was_approved or failures > 0
group by cast(first_at as date), provider, account, livemode, currency, method, card_brand
