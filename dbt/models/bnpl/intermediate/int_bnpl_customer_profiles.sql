{{ config(schema='next', materialized='table', tags=['published']) }}

with source as (

    select * from {{ ref('int_bnpl_touched_transactions') }}

),

totals as (

    select
        customer_id,
        max(currency) as currency,
        cast(sum(amount) as decimal(18, 2)) as total_amount,
        cast(max(amount) as decimal(15, 2)) as largest_amount,
        cast(sum(case when will_default then amount else 0 end) as decimal(18, 2)) as defaulted_amount,
        count(*) as purchase_count,
        count(case when risk_scenario = 'low_risk_purchase' then 1 end) as low_risk_count,
        count(case when risk_scenario = 'impulse_purchase' then 1 end) as impulse_count,
        count(case when risk_scenario = 'credit_stretched' then 1 end) as credit_stretched_count,
        count(case when risk_scenario = 'high_risk_behavior' then 1 end) as high_risk_count,
        count(case when will_default then 1 end) as default_count,
        count(case when arrived_late then 1 end) as late_arrival_count,
        count(distinct device_id) as device_count,
        count(distinct product_category) as product_category_count,
        count(distinct payment_provider) as payment_provider_count,
        count(distinct business_date) as active_day_count,
        min(transaction_timestamp) as first_purchase_at,
        max(transaction_timestamp) as last_purchase_at
    from source
    group by customer_id

)

select
    -- ids
    customer_id,

    -- money
    currency,
    total_amount,
    {{ even_part('total_amount', 'purchase_count') }} as average_amount,
    largest_amount,
    defaulted_amount,

    -- behaviour
    purchase_count,
    {{ share('low_risk_count', 'purchase_count') }} as low_risk_share,
    {{ share('impulse_count', 'purchase_count') }} as impulse_share,
    {{ share('credit_stretched_count', 'purchase_count') }} as credit_stretched_share,
    {{ share('high_risk_count', 'purchase_count') }} as high_risk_share,
    default_count,
    {{ share('default_count', 'purchase_count') }} as default_share,
    late_arrival_count,
    device_count,
    product_category_count,
    payment_provider_count,
    active_day_count,

    -- times
    first_purchase_at,
    last_purchase_at
from totals
