{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{{ members_of_sales(
    'store', ref('int_retail_touched_stores'), ref('int_retail_published'),
    ref('int_retail_hidden_records'), ref('int_retail_touched_keys')
) }}
