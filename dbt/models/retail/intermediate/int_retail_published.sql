{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

select
    -- keys
    product_key,
    customer_key,
    store_key,

    -- ids
    retailer,
    sale_id,
    product_code,
    customer_id,
    store_id,

    -- money
    gross_amount,
    discount_amount,
    return_amount,
    total_amount,
    tax_amount,
    shipping_cost,
    currency,

    -- categories
    product_name,
    category,

    -- behaviour
    quantity,

    -- times
    sold_at,
    sale_date,

    -- spine
    _record_id,
    _record_key,
    _book_date
from (
    {{ brought_rows(ref('fct_retail_sales'), 'retail.sales') }}
) as brought
