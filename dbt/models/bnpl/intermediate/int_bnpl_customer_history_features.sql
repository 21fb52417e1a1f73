{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

-- Only fields known at a decision may be read here: a test follows every column to its source.
with source as (

    select
        purchases.customer_id,
        purchases.device_id,
        purchases.product_category,
        purchases.transaction_timestamp,
        {{ epoch_microseconds('purchases.transaction_timestamp') }} as at_microseconds,
        {{ epoch_microseconds('touched.touched_from') }} as touched_from_microseconds,
        purchases.amount
    from {{ ref('int_bnpl_touched_transactions') }} as purchases
    inner join {{ ref('int_bnpl_touched_customers') }} as touched
        on purchases.customer_id = touched.customer_id

),

last_untouched as (

    select customer_id, max(at_microseconds) as at_microseconds
    from source
    where at_microseconds < touched_from_microseconds
    group by customer_id

),

-- Moments from the first touched one on change. They look back on the longest window, and on the
-- purchase before them, however old.
looked_back_on as (

    select source.*
    from source
    left join last_untouched on source.customer_id = last_untouched.customer_id
    where source.at_microseconds
        >= source.touched_from_microseconds - {{ microseconds_of_days(feature_window_days()[-1]) }}
        or source.at_microseconds = last_untouched.at_microseconds

),

-- One partition at a time: what only an earlier sort needs is not carried through the later ones.
between_devices as (

    select
        customer_id,
        product_category,
        transaction_timestamp,
        at_microseconds,
        touched_from_microseconds,
        amount,
        at_microseconds - lag(at_microseconds) over device as since_device,
        lead(at_microseconds) over device - at_microseconds as until_device
    from looked_back_on
    window device as (partition by customer_id, device_id order by at_microseconds)

),

between_categories as (

    select
        customer_id,
        transaction_timestamp,
        at_microseconds,
        touched_from_microseconds,
        amount,
        since_device,
        until_device,
        at_microseconds - lag(at_microseconds) over category as since_category,
        lead(at_microseconds) over category - at_microseconds as until_category
    from between_devices
    window category as (partition by customer_id, product_category order by at_microseconds)

),

windowed as (

    select
        customer_id,
        transaction_timestamp,
        at_microseconds,
        touched_from_microseconds,
        {%- for days in feature_window_days() %}
        sum(amount) over last_{{ days }}_days as amount_{{ days }}d,
        count(*) over last_{{ days }}_days as purchase_count_{{ days }}d,
        {{ distinct_counts_in_window(
            days, ('since_category', 'until_category'), ('since_device', 'until_device')
        ) }} as category_and_device_count_{{ days }}d,
        {%- endfor %}
        at_microseconds - last_value(at_microseconds) over before as since_last_microseconds,
        lead(at_microseconds) over (
            partition by customer_id order by at_microseconds
        ) as next_microseconds
    from between_categories
    window
        {{ feature_windows('customer_id', 'at_microseconds') }}

)

select
    -- ids
    customer_id,

    -- money
    {%- for days in feature_window_days() %}
    cast(coalesce(amount_{{ days }}d, 0) as decimal(18, 2)) as amount_{{ days }}d,
    {%- endfor %}

    -- behaviour
    {%- for days in feature_window_days() %}
    cast(purchase_count_{{ days }}d as integer) as purchase_count_{{ days }}d,
    {%- endfor %}
    {%- for days in feature_window_days() %}
    {{ upper_count('category_and_device_count_' ~ days ~ 'd') }} as product_category_count_{{ days }}d,
    {%- endfor %}
    {%- for days in feature_window_days() %}
    {{ lower_count('category_and_device_count_' ~ days ~ 'd') }} as device_count_{{ days }}d,
    {%- endfor %}
    {{ whole_quotient('since_last_microseconds', 1000000) }} as seconds_since_last_purchase,

    -- times
    transaction_timestamp as decision_at
from windowed
-- Purchases of one instant have the same history: it is kept once.
where next_microseconds is distinct from at_microseconds
    and at_microseconds >= touched_from_microseconds
