{{ config(schema='next', materialized='table', tags=['published']) }}

-- Members and days together: looking for the versions of touched lines goes through the keys of all
-- history, and is done once for them.
{{ touched_entities(
    'product_key, customer_key, store_key, retailer, sale_date',
    ref('int_retail_published'), ref('int_retail_touched_keys'), 'retail.sales'
) }}
