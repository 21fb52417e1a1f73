{{ config(schema='gold', materialized='entries', tags=['gold']) }}

with source as (

    select
        silver.*,
        cast(silver.sold_at as date) as sale_date,
        -- retailer_1 states prices after discount: the price before it, to the cent.
        {{ before_discount('silver.unit_price', 'silver.discount_percentage') }} as list_price
    from {{ ref('stg_retail_sales') }} as silver
    where not silver._is_superseded

),

priced as (

    select
        source.*,
        cast(source.quantity * source.list_price as decimal(18, 2)) as listed_amount
    from source

)

select
    -- keys of the dimensions; 0 is the unknown member
    case
        when priced.sale_date between '{{ first_calendar_day() }}' and '{{ last_calendar_day() }}'
            then cast({{ date_key('priced.sale_date') }} as integer)
        else 0
    end as date_key,
    {{ dimension_key('priced.retailer', 'priced.product_code') }} as product_key,
    {{ dimension_key('priced.retailer', 'priced.customer_id') }} as customer_key,
    {{ dimension_key('priced.retailer', 'priced.store_id') }} as store_key,
    {{ hashed_key('priced.retailer') }} as retailer_key,

    -- ids, in the retailer's own namespace
    priced.retailer,
    priced.sale_id,
    priced.product_code,
    priced.customer_id,
    priced.store_id,
    priced.supplier_id,
    priced.sales_rep_id,

    -- money
    priced.unit_price,
    cast(case when priced.quantity < 0 then 0 else priced.listed_amount end as decimal(18, 2))
        as gross_amount,
    cast(
        case when priced.quantity < 0 then 0 else priced.listed_amount - priced.total_amount end
        as decimal(18, 2)
    ) as discount_amount,
    cast(case when priced.quantity < 0 then -priced.total_amount else 0 end as decimal(18, 2))
        as return_amount,
    priced.total_amount,
    priced.tax_amount,
    priced.shipping_cost,
    priced.currency,
    priced.discount_percentage,

    -- categories
    priced.product_name,
    priced.category,
    priced.payment_method,
    priced.promotion_code,

    -- behaviour
    priced.quantity,
    priced.loyalty_points_earned,
    priced.warranty_months,
    priced.return_policy_days,

    -- times
    priced.sold_at,
    priced.sale_date,

    -- spine
    priced._record_id,
    priced._record_key,
    priced._book_date,
    build_day.gold_entry_id as _entry_id
from priced
inner join {{ build_days('retail.sales') }} as build_day
    on priced._book_date = build_day.book_date
