{{ config(
    schema='silver',
    materialized='incremental',
    incremental_strategy='rebuild',
    unique_key='_book_date',
    meta={'dataset': 'bnpl.transactions'},
    tags=['normalize'],
) }}

with source as (

    select *
    from {{ ref('stg_bnpl_raw_transactions') }}
    where {{ within_scope('bnpl.transactions', 'day') }}
        and not _is_superseded

),

renamed as (

    select
        -- ids
        customer_id,

        -- categories
        customer_age_bracket as age_bracket,
        customer_income_bracket as income_bracket,
        customer_credit_score_range as credit_score_range,
        customer_verification_level as verification_level,
        customer_address_stability as address_stability,
        customer_state as state,

        -- behaviour
        customer_tenure_days as tenure_days,

        -- times
        transaction_timestamp as last_seen_at,

        -- spine
        _record_id,
        _book_date,
        _entry_id,

        row_number() over (
            partition by _book_date, customer_id
            order by transaction_timestamp desc, _object_version desc, _line desc
        ) as age
    from source

)

select
    customer_id,
    age_bracket,
    income_bracket,
    credit_score_range,
    verification_level,
    address_stability,
    state,
    tenure_days,
    last_seen_at,
    _record_id,
    _book_date,
    _entry_id
from renamed
where age = 1
