{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{{ hidden_records(
    ref('fct_toy_tickets'), ref('int_toy_touched_keys'), 'toy.tickets', amount='price'
) }}
