{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{{ journal_of(
    ref('payment_history'), ref('payment_captures'), ref('refunds'), ref('disputes'), ref('payouts')
) }}
