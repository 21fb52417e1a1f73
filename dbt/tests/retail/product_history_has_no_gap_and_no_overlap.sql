-- Versions of a touched product follow each other from its first sale on without gap or overlap, one
-- that differs from the next; the last one alone is in force; and each day's attributes are those of
-- the version that holds on it.
with versions as (

    select
        history.*,
        row_number() over product as ordinal,
        lead(valid_from) over product as next_from,
        lead(product_name) over product as next_name,
        lead(category) over product as next_category
    from {{ ref('dim_product_history') }} as history
    window product as (partition by product_key order by valid_from)

),

days as (

    select sale_date, product_key, product_name, category
    from {{ derived_after(
        'marts', ref('mv_daily_sales_by_product'), 'sale_date', ref('int_retail_touched_days')
    ) }} as product_days
    where product_key in (select product_key from {{ ref('int_retail_touched_products') }})

)

select product_key, valid_from, 'it does not end where the next one begins' as complaint
from versions
where valid_to is distinct from next_from
    or is_current <> (next_from is null)
    or valid_to <= valid_from

union all

select product_key, valid_from, 'it is the same as the next one' as complaint
from versions
where next_from is not null
    and product_name is not distinct from next_name
    and category is not distinct from next_category

union all

select versions.product_key, versions.valid_from, 'it is not the first sale' as complaint
from versions
inner join {{ ref('int_retail_products') }} as products
    on versions.product_key = products.product_key
where versions.ordinal = 1
    and versions.valid_from <> products.first_sold_on

union all

select days.product_key, days.sale_date, 'the day has not one version with its attributes' as complaint
from days
left join versions
    on days.product_key = versions.product_key
    and days.sale_date >= versions.valid_from
    and (versions.valid_to is null or days.sale_date < versions.valid_to)
    and days.product_name is not distinct from versions.product_name
    and days.category is not distinct from versions.category
group by days.product_key, days.sale_date
having count(versions.product_key) <> 1
