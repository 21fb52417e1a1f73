{{ config(
    schema='silver',
    materialized='incremental',
    incremental_strategy='rebuild',
    unique_key='_book_date',
    meta={'dataset': 'payments.settlements'},
    tags=['normalize'],
) }}

with source as (

    select bronze.*, build_day.silver_entry_id
    from {{ source('bronze', 'payments_settlements') }} as bronze
    inner join {{ build_days('payments.settlements') }} as build_day
        on bronze._book_date = build_day.book_date

),

superseded as (

    {{ superseded_within_the_day('source') }}

)

select
    -- ids
    source.entry_id,
    source.payout_id,
    source.source_id,
    source.payment_id,
    source.merchant_reference,
    source.account,

    -- money
    source.amount_minor,
    source.fee_minor,
    source.net_minor,
    source.currency,

    -- categories
    source.provider,
    source.livemode,
    source.kind,
    source.provider_type,

    -- times
    source.moved_at,

    -- as the source sent it
    source.raw,

    -- fields that the contract does not know
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
