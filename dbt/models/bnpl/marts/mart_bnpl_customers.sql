{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

with profiles as (

    select * from {{ ref('int_bnpl_customer_profiles') }}

),

-- From published rows, not from silver: silver is replaced by every build, also by one whose day
-- is then held, and readers must not see what no pointer names. The join leaves about one row per
-- customer to put in order, where a window over all purchases would sort them all.
sightings as (

    select
        purchases.customer_id,
        purchases.customer_age_bracket as age_bracket,
        purchases.customer_income_bracket as income_bracket,
        purchases.customer_credit_score_range as credit_score_range,
        purchases.customer_verification_level as verification_level,
        purchases.customer_address_stability as address_stability,
        purchases.customer_state as state,
        purchases.customer_tenure_days as tenure_days,
        row_number() over (
            partition by purchases.customer_id
            order by purchases._book_date desc, purchases._record_id
        ) as age
    from {{ ref('int_bnpl_touched_transactions') }} as purchases
    inner join profiles
        on purchases.customer_id = profiles.customer_id
        and purchases.transaction_timestamp = profiles.last_purchase_at

),

attributes as (

    select * from sightings where age = 1

)

select
    -- ids
    profiles.customer_id,

    -- money
    profiles.currency,
    profiles.total_amount,
    profiles.average_amount,
    profiles.largest_amount,
    profiles.defaulted_amount,

    -- categories
    case
        when profiles.default_count > 0 then 'defaulted'
        when profiles.purchase_count = 1 then 'new'
        when profiles.purchase_count < 5 then 'returning'
        else 'regular'
    end as segment,
    attributes.age_bracket,
    attributes.income_bracket,
    attributes.credit_score_range,
    attributes.verification_level,
    attributes.address_stability,
    attributes.state,

    -- behaviour
    attributes.tenure_days,
    profiles.purchase_count,
    profiles.low_risk_share,
    profiles.impulse_share,
    profiles.credit_stretched_share,
    profiles.high_risk_share,
    profiles.default_count,
    profiles.default_share,
    profiles.late_arrival_count,
    profiles.device_count,
    profiles.product_category_count,
    profiles.payment_provider_count,
    profiles.active_day_count,

    -- times
    profiles.first_purchase_at,
    profiles.last_purchase_at
from profiles
inner join attributes on profiles.customer_id = attributes.customer_id
