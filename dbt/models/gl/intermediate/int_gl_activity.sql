{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

select
    fiscal_period,
    account_code,
    account_name,
    account_class,
    {{ kind_of_entry('entry_type') }} as entry_kind,
    product,
    unit,
    production_month,
    well_id,
    api_number,
    lease_name,
    property_id,
    state,
    county,
    basin,
    party_type,
    party_id,
    afe_number,
    jib_number,
    {{ line_measures() }},
    cast(sum(quantity) as decimal(18, 3)) as quantity,
    min(posting_date) as first_posted_on,
    max(posting_date) as last_posted_on
from {{ ref('int_gl_touched_lines') }}
group by
    fiscal_period, account_code, account_name, account_class, {{ kind_of_entry('entry_type') }},
    product, unit, production_month, well_id, api_number, lease_name, property_id, state, county,
    basin, party_type, party_id, afe_number, jib_number
