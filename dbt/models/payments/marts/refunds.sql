{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

{{ refunds_of(ref('payment_history'), ref('payment_captures')) }}
