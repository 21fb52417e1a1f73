{{ config(schema='gold', materialized='entries', tags=['gold']) }}

select
    -- ids
    silver.line_id,
    silver.gl_entry_id,
    silver.journal_batch,
    silver.journal_entry,
    silver.reverses,
    silver.ledger,
    silver.entry_number,
    silver.line_number,
    silver.account_code,
    silver.well_id,
    silver.api_number,
    silver.lease_name,
    silver.property_id,
    silver.afe_number,
    silver.jib_number,
    silver.cost_center,
    silver.party_id,
    silver.document,

    -- money
    silver.debit,
    silver.credit,
    silver.amount,
    silver.currency,

    -- categories
    silver.account_name,
    silver.account_class,
    silver.entry_type,
    silver.product,
    silver.unit,
    silver.state,
    silver.county,
    silver.basin,
    silver.party_type,
    silver.journal_source,
    silver.transaction_type,
    silver.description,
    silver.created_by,
    silver.approved_by,

    -- behaviour
    silver.quantity,
    silver.share,

    -- times
    silver.fiscal_period,
    silver.fiscal_year,
    silver.fiscal_month,
    silver.production_month,
    silver.transaction_date,
    silver.posting_date,
    silver.recorded_on,
    silver.due_date,
    silver.created_timestamp,
    silver.last_modified,

    -- spine
    silver._record_id,
    silver._record_key,
    silver._book_date,
    build_day.gold_entry_id as _entry_id
from {{ ref('stg_gl_lines') }} as silver
inner join {{ build_days('gl.lines') }} as build_day
    on silver._book_date = build_day.book_date
where not silver._is_superseded
