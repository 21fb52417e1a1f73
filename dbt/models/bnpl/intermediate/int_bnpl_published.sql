{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

select
    -- ids
    customer_id,
    device_id,

    -- money
    amount,
    currency,

    -- categories
    risk_scenario,
    product_category,
    payment_provider,
    customer_age_bracket,
    customer_income_bracket,
    customer_credit_score_range,
    customer_verification_level,
    customer_address_stability,
    customer_state,

    -- behaviour
    customer_tenure_days,
    will_default,

    -- times
    transaction_timestamp,
    business_date,
    arrived_late,

    -- spine
    _record_id,
    _record_key,
    _book_date
from (
    {{ brought_rows(ref('fct_bnpl_transactions'), 'bnpl.transactions') }}
) as brought
