{{ config(schema='gold', materialized='table', tags=['published']) }}

with published as (

    {{ published_rows(ref('fct_bnpl_transactions'), 'bnpl', 'bnpl.transactions') }}

),

-- A day holds a key once, so a key seen once over all days hides nothing.
repeated as (

    select _record_key
    from published
    group by _record_key
    having count(*) > 1

),

arrivals as (

    select
        published._record_id,
        published._record_key,
        published._book_date,
        published.amount,
        published.currency,
        min(published._book_date) over (
            partition by published._record_key, published._record_id
        ) as first_arrived_on
    from published
    inner join repeated on published._record_key = repeated._record_key

),

-- A version counts from the day its bytes first arrived. Bytes that arrive again bring nothing new,
-- so a redelivery of an old version can't undo the correction that came between.
judged as (

    select
        arrivals.*,
        max(first_arrived_on) over (partition by _record_key) as last_version_arrived_on
    from arrivals

)

select
    _record_id,
    _record_key,
    _book_date,
    amount,
    currency,
    case when _book_date > first_arrived_on then 'duplicate' else 'superseded' end as reason
from judged
where _book_date > first_arrived_on
    or first_arrived_on < last_version_arrived_on
