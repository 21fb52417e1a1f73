-- The touched products, customers and stores are those of the lines that readers see, each with the
-- days of its first and last line. Two codes that share a key would be two rows for one.
with lines as (

    {{ lines_after() }}

)

{% for entity, code, first, last in [
    ('product', 'product_code', 'first_sold_on', 'last_sold_on'),
    ('customer', 'customer_id', 'first_sale_on', 'last_sale_on'),
    ('store', 'store_id', 'first_sale_on', 'last_sale_on'),
] %}
{{ 'union all' if not loop.first }}

select '{{ entity }}' as entity, differing.*
from (
    {{ differences(
        '(select ' ~ entity ~ '_key, retailer, ' ~ code ~ ', ' ~ first ~ ', ' ~ last
        ~ ' from ' ~ ref('int_retail_' ~ entity ~ 's') ~ ')',
        '(select ' ~ entity ~ '_key, retailer, ' ~ code ~ ', min(sale_date), max(sale_date)'
        ~ ' from lines where ' ~ entity ~ '_key in (select ' ~ entity ~ '_key from '
        ~ ref('int_retail_touched_' ~ entity ~ 's') ~ ') and ' ~ entity ~ '_key <> 0'
        ~ ' group by ' ~ entity ~ '_key, retailer, ' ~ code ~ ')'
    ) }}
) as differing
{% endfor %}
