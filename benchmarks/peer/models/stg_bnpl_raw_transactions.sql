{{ config(schema='silver', materialized='view') }}

-- What dlt loaded, under the names and in the types of the contract. Read from dicts, amounts
-- arrive as doubles; from Arrow tables the casts change nothing.
select
    * exclude (_timestamp, _record_id, _generator)
    replace (
        cast(amount as decimal(15, 2)) as amount,
        cast(first_payment_amount as decimal(15, 2)) as first_payment_amount,
        cast(product_price as decimal(15, 2)) as product_price,
        cast(payment_credit_limit as decimal(15, 2)) as payment_credit_limit
    ),
    cast(_timestamp at time zone 'UTC' as timestamp) as transaction_timestamp,
    _record_id as source_ordinal,
    _generator as generator,
    transaction_id as _record_id,
    transaction_id as _record_key,
    cast(_timestamp at time zone 'UTC' as date) as _book_date,
    false as _is_superseded
from loaded.purchases
