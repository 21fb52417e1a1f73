{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ visible_rows(
    ref('fct_settlement_entries'), ref('int_payments_hidden_entries'), 'payments.settlements'
) }}
