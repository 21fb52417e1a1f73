{{ config(schema='next', materialized='table', tags=['published']) }}

{{ connected_keys(ref('int_payments_references'), ref('int_payments_touched_keys')) }}
