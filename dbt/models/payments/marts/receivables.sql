{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ receivables_of(
    ref('payment_captures'), ref('payouts'), ref('payout_entries'),
    'select max(_book_date) as book_date from ' ~ ref('payment_events')
) }}
