{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ refunds_of(ref('payment_history'), ref('payment_captures')) }}
