{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{{ hidden_records(
    ref('int_payments_published_entries'), ref('int_payments_touched_entries'),
    'payments.settlements', amount='net_minor'
) }}
