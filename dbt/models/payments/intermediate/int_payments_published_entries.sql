{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

select
    -- ids
    entry_id,
    payout_id,
    source_id,
    payment_id,
    merchant_reference,
    account,

    -- money
    amount_minor,
    fee_minor,
    net_minor,
    currency,

    -- categories
    provider,
    livemode,
    kind,
    provider_type,

    -- times
    moved_at,

    -- as the source sent it
    raw,

    -- spine
    _record_id,
    _record_key,
    _book_date,
    _entry_id
from (
    {{ brought_rows(ref('fct_settlement_entries'), 'payments.settlements') }}
) as brought
