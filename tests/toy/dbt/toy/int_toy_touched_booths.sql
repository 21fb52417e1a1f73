{{ config(schema='next', materialized='table', tags=['published']) }}

{{ touched_entities(
    'booth', ref('int_toy_published'), ref('int_toy_touched_keys'), 'toy.tickets'
) }}
