{{ config(schema='next', materialized='table', tags=['published']) }}

{{ touched_entities(
    'sale_date', ref('int_retail_published'), ref('int_retail_touched_keys'), 'retail.sales'
) }}
