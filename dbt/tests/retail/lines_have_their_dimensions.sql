-- Every key of a line that the publication being made brings is in its dimension.
with brought as (

    select
        fact.date_key,
        fact.retailer_key,
        fact.product_key,
        fact.customer_key,
        fact.store_key,
        fact._record_key
    from {{ rows_of_changed_days(ref('fct_retail_sales')) }} as fact
    inner join {{ ref('int_retail_published') }} as published
        on fact._record_id = published._record_id
        and fact._book_date = published._book_date
    where not exists (
        select 1
        from {{ ref('int_retail_hidden_records') }} as hidden
        where hidden._record_id = published._record_id
            and hidden._book_date = published._book_date
    )

)

{% for key, known in [
    ('date_key', '(select date_key from ' ~ ref('dim_date') ~ ')'),
    ('retailer_key', '(select retailer_key from ' ~ ref('dim_retailer') ~ ')'),
    ('product_key', '(select product_key from ' ~ ref('int_retail_products') ~ ')'),
    ('customer_key',
        '(select customer_key from ' ~ ref('int_retail_customers') ~ ' union all select 0)'),
    ('store_key', '(select store_key from ' ~ ref('int_retail_stores') ~ ' union all select 0)'),
] %}
{{ 'union all' if not loop.first }}

select '{{ key }}' as key_name, {{ key }} as key_value, _record_key
from brought
where {{ key }} not in {{ known }}
{% endfor %}
