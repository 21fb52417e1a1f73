{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

{{ payments_of(
    ref('payment_history'), ref('payment_captures'), ref('refunds'), ref('disputes')
) }}
