{{ config(schema='next', materialized='table', tags=['published']) }}

with published as (

    {{ published_rows(ref('fct_bnpl_transactions'), 'bnpl.transactions') }}

),

hidden as (

    select * from {{ hidden_after(ref('int_bnpl_hidden_records'), ref('int_bnpl_touched_keys')) }} as hidden

)

select
    -- ids
    published.transaction_id,
    published.customer_id,
    published.device_id,

    -- money
    published.amount,
    published.currency,

    -- categories
    published.risk_scenario,
    published.product_category,
    published.payment_provider,
    published.customer_age_bracket,
    published.customer_income_bracket,
    published.customer_credit_score_range,
    published.customer_verification_level,
    published.customer_address_stability,
    published.customer_state,

    -- behaviour
    published.customer_tenure_days,
    published.will_default,

    -- times
    published.transaction_timestamp,
    published.business_date,
    published.arrived_late,

    -- spine
    published._record_id,
    published._book_date
from published
inner join {{ ref('int_bnpl_touched_customers') }} as touched
    on published.customer_id = touched.customer_id
where not exists (
    select 1
    from hidden
    where hidden._record_id = published._record_id
        and hidden._book_date = published._book_date
)
