{{ config(
    schema='silver',
    materialized='incremental',
    incremental_strategy='rebuild',
    unique_key='_book_date',
    meta={'dataset': 'payments.events'},
    tags=['normalize'],
) }}

with source as (

    select bronze.*, build_day.silver_entry_id
    from {{ source('bronze', 'payments_events') }} as bronze
    inner join {{ build_days('payments.events') }} as build_day
        on bronze._book_date = build_day.book_date

),

superseded as (

    {{ superseded_within_the_day('source') }}

)

select
    -- ids
    source.event_id,
    source.payment_id,
    source.linked_id,
    source.merchant_reference,
    source.capture_id,
    source.refund_id,
    source.dispute_id,
    source.payout_id,
    source.is_reversal_of,
    source.customer_id,
    source.account,
    source.webhook_position,

    -- money
    source.amount_minor,
    source.currency,
    source.fee_minor,

    -- categories
    source.provider,
    source.livemode,
    source.event_type,
    source.provider_type,
    source.status,
    source.method,
    source.card_brand,
    source.card_last4,
    source.failure_code,
    source.api_version,

    -- behaviour
    source.object_version,
    source.event_version,
    source.body_sha256,

    -- times
    source.occurred_at,
    source.received_at,
    source.event_book_date,

    -- as the source sent it
    source.extra,

    -- spine
    source._record_id,
    source._record_key,
    source._book_date,
    source._object_version,
    source._line,
    superseded._record_id is not null as _is_superseded,
    source.silver_entry_id as _entry_id
from source
left join superseded
    on source._book_date = superseded._book_date
    and source._record_id = superseded._record_id
