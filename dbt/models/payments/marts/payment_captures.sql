{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

{{ captures_of(ref('payment_history')) }}
