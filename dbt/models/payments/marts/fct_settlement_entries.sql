{{ config(schema='gold', materialized='entries', tags=['gold']) }}

select
    -- ids
    silver.entry_id,
    silver.payout_id,
    silver.source_id,
    silver.payment_id,
    silver.merchant_reference,
    silver.account,

    -- money
    silver.amount_minor,
    silver.fee_minor,
    silver.net_minor,
    silver.currency,

    -- categories
    silver.provider,
    silver.livemode,
    silver.kind,
    silver.provider_type,

    -- times
    silver.moved_at,

    -- as the source sent it
    silver.raw,

    -- spine
    silver._record_id,
    silver._record_key,
    silver._book_date,
    build_day.gold_entry_id as _entry_id
from {{ ref('stg_payments_settlements') }} as silver
inner join {{ build_days('payments.settlements') }} as build_day
    on silver._book_date = build_day.book_date
where not silver._is_superseded
