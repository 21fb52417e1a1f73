{{ config(schema='gold', materialized='entries', tags=['gold']) }}

select
    -- ids
    silver.event_id,
    silver.payment_id,
    silver.linked_id,
    silver.merchant_reference,
    silver.capture_id,
    silver.refund_id,
    silver.dispute_id,
    silver.payout_id,
    silver.is_reversal_of,
    silver.customer_id,
    silver.account,
    silver.webhook_position,

    -- money
    silver.amount_minor,
    silver.currency,
    silver.fee_minor,

    -- categories
    silver.provider,
    silver.livemode,
    silver.event_type,
    silver.provider_type,
    silver.status,
    silver.method,
    silver.card_brand,
    silver.card_last4,
    silver.failure_code,
    silver.api_version,

    -- behaviour
    silver.object_version,
    silver.body_sha256,

    -- times
    silver.occurred_at,
    silver.received_at,
    silver.event_book_date,

    -- spine
    silver._record_id,
    silver._record_key,
    silver._book_date,
    build_day.gold_entry_id as _entry_id
from {{ ref('stg_payments_events') }} as silver
inner join {{ build_days('payments.events') }} as build_day
    on silver._book_date = build_day.book_date
where not silver._is_superseded
