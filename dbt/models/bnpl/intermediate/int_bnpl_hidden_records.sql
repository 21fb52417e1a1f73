{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{{ hidden_records(
    ref('fct_bnpl_transactions'), ref('int_bnpl_touched_keys'), 'bnpl.transactions'
) }}
