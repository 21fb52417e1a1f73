-- The touched products, customers and stores, a part of them at a time, are those of the lines that
-- readers see, each with the days of its first and last line. Two codes that share a key would be two
-- rows for one.
{% set entities = [
    ('product', 'product_code', 'first_sold_on', 'last_sold_on'),
    ('customer', 'customer_id', 'first_sale_on', 'last_sale_on'),
    ('store', 'store_id', 'first_sale_on', 'last_sale_on'),
] %}
with lines as (

    select
        retailer,
        product_key,
        product_code,
        customer_key,
        customer_id,
        store_key,
        store_id,
        sale_date
    from (
        {{ lines_after() }}
    ) as visible

)

{% for entity, code, first, last in entities %}
,

{{ entity }}s as (

    select
        {{ entity }}_key,
        retailer,
        {{ code }},
        min(sale_date) as first_on,
        max(sale_date) as last_on
    from lines
    where {{ is_touched(entity ~ '_key', ref('int_retail_touched_' ~ entity ~ 's')) }}
        and {{ entity }}_key <> 0
        and {{ is_in_part(entity ~ '_key') }}
    group by {{ entity }}_key, retailer, {{ code }}

)
{% endfor %}

{% for entity, code, first, last in entities %}
{{ 'union all' if not loop.first }}

select '{{ entity }}' as entity, differing.*
from (
    {{ differences(
        '(select ' ~ entity ~ '_key, retailer, ' ~ code ~ ', ' ~ first ~ ', ' ~ last
        ~ ' from ' ~ ref('int_retail_' ~ entity ~ 's')
        ~ ' where ' ~ is_in_part(entity ~ '_key') ~ ')',
        entity ~ 's'
    ) }}
) as differing
{% endfor %}
