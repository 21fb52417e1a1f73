{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{{ hidden_records(
    ref('int_payments_published'), ref('int_payments_touched_keys'), 'payments.events',
    amount='amount_minor'
) }}
