{{ config(schema='next', materialized='table', tags=['published']) }}

{{ touched_keys(ref('fct_payment_events')) }}
