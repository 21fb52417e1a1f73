-- The touched products, customers and stores, a part of them at a time, are those of the lines that
-- readers see, each with the days of its first and last line. Two codes that share a key would be two
-- rows for one.
{% set entities = [
    ('product', 'product_code', 'first_sold_on', 'last_sold_on'),
    ('customer', 'customer_id', 'first_sale_on', 'last_sale_on'),
    ('store', 'store_id', 'first_sale_on', 'last_sale_on'),
] %}
with lines as (

    {{ lines_after() }}

),

-- One reading of the lines for all three.
members as (

    select
        retailer,
        {%- for entity, code, first, last in entities %}
        {{ entity }}_key,
        {{ code }},
        {%- endfor %}
        min(sale_date) as first_on,
        max(sale_date) as last_on
    from lines
    {%- if not is_made_anew() %}
    where
        {%- for entity, code, first, last in entities %}
        {{ 'or' if not loop.first }} (
            {{ is_touched(entity ~ '_key', ref('int_retail_touched_' ~ entity ~ 's')) }}
            and {{ is_in_part(entity ~ '_key') }}
        )
        {%- endfor %}
    {%- endif %}
    group by grouping sets (
        {%- for entity, code, first, last in entities %}
        (retailer, {{ entity }}_key, {{ code }}){{ ',' if not loop.last }}
        {%- endfor %}
    )

)

{% for entity, code, first, last in entities %}
,

-- A row of another member has no key of this one, and the key of an unknown member is 0.
{{ entity }}s as (

    select {{ entity }}_key, retailer, {{ code }}, first_on, last_on
    from members
    where {{ entity }}_key <> 0
        and {{ is_touched(entity ~ '_key', ref('int_retail_touched_' ~ entity ~ 's')) }}
        and {{ is_in_part(entity ~ '_key') }}

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
