{{ config(schema='next', materialized='table', tags=['published']) }}

with visible as (

    {{ visible_after(
        ref('int_bnpl_published'), ref('int_bnpl_hidden_records'), ref('int_bnpl_touched_keys'),
        'bnpl.transactions'
    ) }}

)

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
    _book_date
from visible
where customer_id in (select customer_id from {{ ref('int_bnpl_touched_customers') }})
