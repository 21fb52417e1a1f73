-- Every key of a line that the publication being made brings is in its dimension.
with brought as (

    {{ brought_rows(ref('fct_retail_sales'), 'retail.sales') }}

)

select
    brought.date_key,
    brought.retailer_key,
    brought.product_key,
    brought.customer_key,
    brought.store_key,
    brought._record_key
from brought
where not exists (
    select 1
    from {{ ref('int_retail_hidden_records') }} as hidden
    where hidden._record_id = brought._record_id
        and hidden._book_date = brought._book_date
)
    and (
        date_key not in (select date_key from {{ ref('dim_date') }})
        or retailer_key not in (select retailer_key from {{ ref('dim_retailer') }})
        or product_key not in (select product_key from {{ ref('int_retail_products') }})
        or (
            customer_key <> 0
            and customer_key not in (select customer_key from {{ ref('int_retail_customers') }})
        )
        or (
            store_key <> 0
            and store_key not in (select store_key from {{ ref('int_retail_stores') }})
        )
    )
