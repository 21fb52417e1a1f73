{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ payouts_of(ref('payment_history')) }}
