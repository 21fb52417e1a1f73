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

earlier as (

    {{ superseded_within_the_day('source', key='customer_id', at='transaction_timestamp') }}

)

select
    -- ids
    source.customer_id,

    -- categories
    source.customer_age_bracket as age_bracket,
    source.customer_income_bracket as income_bracket,
    source.customer_credit_score_range as credit_score_range,
    source.customer_verification_level as verification_level,
    source.customer_address_stability as address_stability,
    source.customer_state as state,

    -- behaviour
    source.customer_tenure_days as tenure_days,

    -- times
    source.transaction_timestamp as last_seen_at,

    -- spine
    source._record_id,
    source._book_date,
    source._entry_id
from source
left join earlier
    on source._book_date = earlier._book_date
    and source._record_id = earlier._record_id
where earlier._record_id is null
