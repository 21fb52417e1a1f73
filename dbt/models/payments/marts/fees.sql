{{ config(schema='marts', materialized='view', tags=['published']) }}

with settled as (

    {{ settled_fees(served('marts', ref('payout_entries'))) }}

),

charged as (

    select captures.*, coalesce(settled.fee_minor, captures.fee_minor) as known_fee_minor
    from {{ served('marts', ref('payment_captures')) }} as captures
    left join settled
        on captures.payment_key = settled.payment_key
        and captures.capture_id = settled.capture_id
    where captures.stands

)

select
    cast(first_at as date) as captured_on,
    provider,
    account,
    livemode,
    currency,
    count(*) as captures,
    count(known_fee_minor) as captures_with_fee,
    {{ minor_sum('amount_minor') }} as captured_minor,
    {{ minor_sum('case when known_fee_minor is not null then amount_minor end') }} as charged_minor,
    {{ minor_sum('known_fee_minor') }} as fee_minor
from charged
group by cast(first_at as date), provider, account, livemode, currency
