{{ config(schema='next', materialized='touched', tags=['published']) }}

{% set members = 'product_key, customer_key, store_key, retailer, sale_date' %}
-- Members and days together: looking for the versions of touched lines goes through the keys of all
-- history, and is done once for them. What is made anew brings all lines: each names its own.
{% if is_made_anew() %}
select {{ members }}
from {{ ref('int_retail_published') }}
{% else %}
{{ touched_entities(
    members, ref('int_retail_published'), ref('int_retail_touched_keys'), 'retail.sales'
) }}
{% endif %}
