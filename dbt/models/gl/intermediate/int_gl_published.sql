{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

select
    -- ids
    journal_entry,
    ledger,
    entry_number,
    account_code,
    well_id,
    api_number,
    lease_name,
    property_id,
    afe_number,
    jib_number,
    party_id,
    document,

    -- money
    debit,
    credit,
    amount,
    currency,

    -- categories
    account_name,
    account_class,
    entry_type,
    product,
    unit,
    state,
    county,
    basin,
    party_type,

    -- behaviour
    quantity,

    -- times
    fiscal_period,
    production_month,
    posting_date,
    due_date,

    -- spine
    _record_id,
    _record_key,
    _book_date
from (
    {{ brought_rows(ref('fct_gl_lines'), 'gl.lines') }}
) as brought
