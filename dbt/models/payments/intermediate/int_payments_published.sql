{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

select
    -- ids
    event_id,
    payment_id,
    linked_id,
    merchant_reference,
    capture_id,
    refund_id,
    dispute_id,
    payout_id,
    is_reversal_of,
    customer_id,
    account,
    webhook_position,

    -- money
    amount_minor,
    currency,
    fee_minor,

    -- categories
    provider,
    livemode,
    event_type,
    provider_type,
    status,
    method,
    card_brand,
    card_last4,
    failure_code,
    api_version,

    -- behaviour
    object_version,
    body_sha256,

    -- times
    occurred_at,
    received_at,
    event_book_date,

    -- spine
    _record_id,
    _record_key,
    _book_date,
    _entry_id
from (
    {{ brought_rows(ref('fct_payment_events'), 'payments.events') }}
) as brought
