{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ captures_of(ref('payment_history')) }}
