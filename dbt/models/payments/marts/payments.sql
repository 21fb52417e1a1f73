{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ payments_of(
    ref('payment_history'), ref('payment_captures'), ref('refunds'), ref('disputes')
) }}
