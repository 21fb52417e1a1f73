{{ config(schema='next', materialized='table', tags=['published']) }}

{{ touched_entities(
    'customer_id', ref('int_bnpl_published'), ref('int_bnpl_touched_keys'), 'bnpl.transactions',
    at='transaction_timestamp'
) }}
