{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{{ hidden_records(
    ref('int_retail_published'), ref('int_retail_touched_keys'), 'retail.sales',
    amount='total_amount'
) }}
