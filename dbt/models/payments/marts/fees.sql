{{ config(schema='marts', materialized='view', tags=['published']) }}

select
    cast(first_at as date) as captured_on,
    provider,
    account,
    livemode,
    currency,
    count(*) as captures,
    count(fee_minor) as captures_with_fee,
    {{ minor_sum('amount_minor') }} as captured_minor,
    {{ minor_sum('case when fee_minor is not null then amount_minor end') }} as charged_minor,
    {{ minor_sum('fee_minor') }} as fee_minor
from {{ ref('payment_captures') }}
where stands
group by cast(first_at as date), provider, account, livemode, currency
