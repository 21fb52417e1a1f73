{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ visible_rows(ref('fct_toy_tickets'), ref('int_toy_hidden_tickets'), 'toy.tickets') }}
