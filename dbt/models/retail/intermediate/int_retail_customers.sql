{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{{ members_of_sales(
    'customer', ref('int_retail_touched_customers'), ref('int_retail_published'),
    ref('int_retail_hidden_records'), ref('int_retail_touched_keys')
) }}
