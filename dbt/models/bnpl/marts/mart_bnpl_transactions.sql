{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ visible_rows(
    ref('fct_bnpl_transactions'), ref('int_bnpl_hidden_records'), 'bnpl.transactions'
) }}
