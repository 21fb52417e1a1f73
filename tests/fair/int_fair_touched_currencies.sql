{{ config(schema='next', materialized='table', tags=['published']) }}

{{ touched_entities(
    'currency', ref('int_fair_tickets_published'), ref('int_fair_tickets_touched_keys'),
    'fair.tickets'
) }}

union

{{ touched_entities(
    'currency', ref('int_fair_meals_published'), ref('int_fair_meals_touched_keys'), 'fair.meals'
) }}
