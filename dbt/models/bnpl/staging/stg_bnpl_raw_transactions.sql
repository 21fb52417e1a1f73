{{ config(
    schema='silver',
    materialized='incremental',
    incremental_strategy='rebuild',
    unique_key='_book_date',
    meta={'dataset': 'bnpl.transactions'},
    tags=['normalize'],
) }}

with source as (

    select bronze.*, build_day.silver_entry_id
    from {{ source('bronze', 'bnpl_transactions') }} as bronze
    inner join {{ build_days('bnpl.transactions') }} as build_day
        on bronze._book_date = build_day.book_date

),

superseded as (

    {{ superseded_within_the_day('source') }}

),

renamed as (

    select
        -- ids
        source.transaction_id,
        source.customer_id,
        source.product_id,
        source.device_id,
        source.payment_method_id,

        -- money
        source.amount,
        source.currency,
        source.first_payment_amount,
        source.product_price,
        source.payment_credit_limit,

        -- categories
        source.status,
        source.risk_scenario,
        source.risk_level,
        source.payment_frequency,
        source.payment_provider,
        source.payment_type,
        source.product_category,
        source.product_subcategory,
        source.product_brand,
        source.product_risk_category,
        source.product_bnpl_eligible,
        source.device_type,
        source.device_os,
        source.device_is_trusted,
        source.customer_age_bracket,
        source.customer_income_bracket,
        source.customer_credit_score_range,
        source.customer_verification_level,
        source.customer_address_stability,
        source.customer_state,

        -- behaviour
        source.installment_count,
        source.risk_score,
        source.credit_utilization,
        source.customer_tenure_days,
        source.purchase_context,
        source.checkout_speed,
        source.cart_abandonment_count,
        source.price_comparison_time,
        source.time_on_site_seconds,
        source.economic_stress_factor,
        source.will_default,
        source.days_to_first_missed_payment,

        -- times
        source.transaction_timestamp,

        -- as the source sent it
        source.source_ordinal,
        source.generator,
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

)

select * from renamed
