{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ journal_of(
    ref('payment_history'), ref('payment_captures'), ref('refunds'), ref('payouts')
) }}
