{{ config(
    schema='silver',
    materialized='incremental',
    incremental_strategy='rebuild',
    unique_key='_book_date',
    meta={'dataset': 'retail.sales'},
    tags=['normalize'],
) }}

-- Read for its keys, and then for all columns: a copy of all rows in between would not fit in memory.
with source as not materialized (

    select bronze.*, build_day.silver_entry_id
    from {{ source('bronze', 'retail_sales') }} as bronze
    inner join {{ build_days('retail.sales') }} as build_day
        on bronze._book_date = build_day.book_date

),

superseded as (

    {{ superseded_within_the_day('source') }}

)

select
    -- ids
    source.retailer,
    source.sale_id,
    source.customer_id,
    source.store_id,
    source.product_code,
    source.supplier_id,
    source.sales_rep_id,

    -- money
    source.unit_price,
    source.total_amount,
    source.currency,
    source.discount_percentage,
    source.tax_amount,
    source.shipping_cost,

    -- categories
    source.product_name,
    source.category,
    source.payment_method,
    source.promotion_code,

    -- behaviour
    source.quantity,
    source.loyalty_points_earned,
    source.warranty_months,
    source.return_policy_days,

    -- times
    source.sold_at,

    -- as the source sent it
    source.extra,

    -- spine
    source._record_id,
    source._record_key,
    source._book_date,
    source._object_version,
    source._line,
    superseded._record_id is not null as _is_superseded,
    source.silver_entry_id as _entry_id
from source
left join superseded
    on source._book_date = superseded._book_date
    and source._record_id = superseded._record_id
