{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ disputes_of(ref('payment_history')) }}
