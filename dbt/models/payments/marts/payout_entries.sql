{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ entries_with_subjects(
    ref('settlement_entries'), ref('payment_captures'), ref('refunds'), ref('disputes'), ref('payouts')
) }}
