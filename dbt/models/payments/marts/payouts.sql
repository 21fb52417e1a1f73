{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

{{ payouts_of(ref('payment_history')) }}
