{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{{ brought_rows(ref('fct_toy_tickets'), 'toy.tickets') }}
