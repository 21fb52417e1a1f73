{{ config(
    schema='silver',
    materialized='incremental',
    incremental_strategy='rebuild',
    unique_key='_book_date',
    meta={'dataset': 'gl.lines'},
    tags=['normalize'],
) }}

with source as (

    select bronze.*, build_day.silver_entry_id
    from {{ source('bronze', 'gl_lines') }} as bronze
    inner join {{ build_days('gl.lines') }} as build_day
        on bronze._book_date = build_day.book_date

),

superseded as (

    {{ superseded_within_the_day('source') }}

)

select
    -- ids
    source.line_id,
    source.gl_entry_id,
    source.journal_batch,
    source.journal_entry,
    source.reverses,
    source.ledger,
    source.entry_number,
    source.line_number,
    source.account_code,
    source.well_id,
    source.api_number,
    source.lease_name,
    source.property_id,
    source.afe_number,
    source.jib_number,
    source.cost_center,
    source.party_id,
    source.document,

    -- money
    source.debit,
    source.credit,
    source.amount,
    source.currency,

    -- categories
    source.account_name,
    source.account_class,
    source.entry_type,
    source.product,
    source.unit,
    source.state,
    source.county,
    source.basin,
    source.party_type,
    source.journal_source,
    source.transaction_type,
    source.description,
    source.created_by,
    source.approved_by,

    -- behaviour
    source.quantity,
    source.share,

    -- times
    source.fiscal_period,
    source.fiscal_year,
    source.fiscal_month,
    source.production_month,
    source.transaction_date,
    source.posting_date,
    source.recorded_on,
    source.due_date,
    source.created_timestamp,
    source.last_modified,

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
