{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ events_of_payments(ref('payment_events')) }}
