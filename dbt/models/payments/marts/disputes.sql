{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

{{ disputes_of(ref('payment_history')) }}
