{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{{ hidden_records(
    ref('int_toy_published'), ref('int_toy_touched_keys'), 'toy.tickets', amount='price'
) }}
