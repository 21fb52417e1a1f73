{{ config(schema='marts', materialized='view', tags=['published']) }}

-- Only what is known at the decision: no outcome, and nothing of how the record came to us.
with transactions as (

    select * from {{ ref('mart_bnpl_transactions') }}

),

history as (

    select * from {{ served('gold', ref('int_bnpl_customer_history_features')) }}

)

select
    -- ids
    transactions.transaction_id,
    transactions.customer_id,

    -- money
    transactions.amount,
    transactions.currency,
    transactions.first_payment_amount,
    transactions.installment_amount,
    transactions.product_price,
    transactions.payment_credit_limit,

    -- categories
    transactions.amount_band,
    transactions.risk_scenario,
    transactions.risk_level,
    transactions.payment_frequency,
    transactions.payment_provider,
    transactions.payment_type,
    transactions.product_category,
    transactions.product_subcategory,
    transactions.product_brand,
    transactions.product_risk_category,
    transactions.product_bnpl_eligible,
    transactions.device_type,
    transactions.device_os,
    transactions.device_is_trusted,
    transactions.customer_age_bracket,
    transactions.customer_income_bracket,
    transactions.customer_credit_score_range,
    transactions.customer_verification_level,
    transactions.customer_address_stability,
    transactions.customer_state,
    transactions.purchase_context,
    transactions.checkout_speed,

    -- behaviour
    transactions.installment_count,
    transactions.risk_score,
    transactions.credit_utilization,
    transactions.credit_limit_share,
    transactions.customer_tenure_days,
    transactions.cart_abandonment_count,
    transactions.price_comparison_time,
    transactions.time_on_site_seconds,
    transactions.economic_stress_factor,
    transactions.hour_of_day,
    transactions.day_of_week,

    -- history of the customer, strictly before the decision
    {%- for days in feature_window_days() %}
    history.amount_{{ days }}d,
    {%- endfor %}
    {%- for days in feature_window_days() %}
    history.purchase_count_{{ days }}d,
    {%- endfor %}
    {%- for days in feature_window_days() %}
    history.product_category_count_{{ days }}d,
    {%- endfor %}
    {%- for days in feature_window_days() %}
    history.device_count_{{ days }}d,
    {%- endfor %}
    history.seconds_since_last_purchase,

    -- times
    transactions.transaction_timestamp as decision_at,

    -- spine
    transactions._record_id,
    transactions._record_key,
    transactions._book_date
from transactions
inner join history
    on transactions.customer_id = history.customer_id
    and transactions.transaction_timestamp = history.decision_at
