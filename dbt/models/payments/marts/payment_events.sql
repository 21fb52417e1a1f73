{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ visible_rows(
    ref('fct_payment_events'), ref('int_payments_hidden_records'), 'payments.events'
) }}
