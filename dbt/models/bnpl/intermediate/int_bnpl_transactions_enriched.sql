{{ config(schema='gold', materialized='view', tags=['gold']) }}

with source as (

    select
        silver.*,
        cast(silver.transaction_timestamp as date) as business_date
    from {{ ref('stg_bnpl_raw_transactions') }} as silver
    where not silver._is_superseded

),

dated as (

    select
        source.*,
        {{ iso_day_of_week('business_date') }} as day_of_week,
        cast({{ dbt.datediff('business_date', '_book_date', 'day') }} as bigint) as days_to_arrival
    from source

),

renamed as (

    select
        -- ids
        transaction_id,
        customer_id,
        product_id,
        device_id,
        payment_method_id,

        -- money
        amount,
        currency,
        first_payment_amount,
        {{ even_part('amount', 'installment_count') }} as installment_amount,
        cast(amount - first_payment_amount as decimal(16, 2)) as amount_after_first_payment,
        product_price,
        payment_credit_limit,

        -- categories
        case
            when amount <= 0 then 'not_positive'
            when amount < 50 then 'under_50'
            when amount < 200 then '50_to_200'
            when amount < 500 then '200_to_500'
            else '500_and_over'
        end as amount_band,
        status,
        risk_scenario,
        risk_level,
        risk_level in ('high', 'very_high') or risk_scenario = 'high_risk_behavior' as is_high_risk,
        payment_frequency,
        payment_provider,
        payment_type,
        product_category,
        product_subcategory,
        product_brand,
        product_risk_category,
        product_bnpl_eligible,
        device_type,
        device_os,
        device_is_trusted,
        customer_age_bracket,
        customer_income_bracket,
        customer_credit_score_range,
        customer_verification_level,
        customer_address_stability,
        customer_state,

        -- behaviour
        installment_count,
        risk_score,
        credit_utilization,
        {{ share('amount', 'payment_credit_limit') }} as credit_limit_share,
        customer_tenure_days,
        purchase_context,
        checkout_speed,
        cart_abandonment_count,
        price_comparison_time,
        time_on_site_seconds,
        economic_stress_factor,
        will_default,
        days_to_first_missed_payment,

        -- times
        transaction_timestamp,
        business_date,
        cast(extract(hour from transaction_timestamp) as integer) as hour_of_day,
        day_of_week,
        day_of_week >= 6 as is_weekend,
        days_to_arrival,
        days_to_arrival > 0 as arrived_late,

        -- spine
        _record_id,
        _record_key,
        _book_date
    from dated

)

select * from renamed
