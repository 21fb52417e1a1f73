{{ config(schema='marts', materialized='view', tags=['published']) }}

-- What PayPal takes for a dispute names the capture, and is no fee of it.
with entries as (

    select *
    from {{ served('marts', ref('payout_entries')) }} as served
    where provider <> 'paypal' or kind <> 'fee'

),

settled as (

    select subject_key as payment_key, source_id as capture_id, currency, fee_minor
    from (
        {{ settled_fees('entries') }}
    ) as fees
    where about = 'capture'

),

captures as (

    select *
    from {{ served('marts', ref('payment_captures')) }} as captures
    where stands

),

-- Fees by the currency that they are in, which can be another one than that of the capture.
charged as (

    select payment_key, capture_id, currency, fee_minor
    from captures
    where fee_minor is not null
        and not exists (
            select 1 from settled
            where settled.payment_key = captures.payment_key
                and settled.capture_id = captures.capture_id
                and settled.currency = captures.currency
        )

    union all

    select payment_key, capture_id, currency, fee_minor
    from settled

),

with_fee as (

    select distinct payment_key, capture_id
    from charged

),

both_kinds as (

    select
        captures.first_at,
        captures.provider,
        captures.account,
        captures.livemode,
        captures.currency,
        captures.amount_minor,
        case when with_fee.capture_id is not null then 1 else 0 end as has_fee,
        case when charged.fee_minor is not null then captures.amount_minor end as charged_minor,
        charged.fee_minor,
        1 as captures
    from captures
    left join with_fee
        on captures.payment_key = with_fee.payment_key
        and captures.capture_id = with_fee.capture_id
    left join charged
        on captures.payment_key = charged.payment_key
        and captures.capture_id = charged.capture_id
        and captures.currency = charged.currency

    union all

    select
        captures.first_at,
        captures.provider,
        captures.account,
        captures.livemode,
        charged.currency,
        0,
        0,
        0,
        charged.fee_minor,
        0
    from captures
    inner join charged
        on captures.payment_key = charged.payment_key
        and captures.capture_id = charged.capture_id
        and captures.currency <> charged.currency

)

select
    cast(first_at as date) as captured_on,
    provider,
    account,
    livemode,
    currency,
    cast(sum(captures) as bigint) as captures,
    cast(sum(has_fee) as bigint) as captures_with_fee,
    {{ minor_sum('amount_minor') }} as captured_minor,
    {{ minor_sum('charged_minor') }} as charged_minor,
    {{ minor_sum('fee_minor') }} as fee_minor
from both_kinds
group by cast(first_at as date), provider, account, livemode, currency
