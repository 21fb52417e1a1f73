{{ config(schema='marts', materialized='view', tags=['published']) }}

select
    cast(0 as bigint) as retailer_key,
    'unknown' as retailer,
    'unknown' as unit_price_is,
    'unknown' as beside_the_amount
{% for name, unit_price_is, beside in [
    ('retailer_1', 'after discount', 'nothing'),
    ('retailer_2', 'before tax', 'tax_amount'),
    ('retailer_3', 'before shipping', 'shipping_cost'),
] %}
union all

select
    {{ hashed_key("'" ~ name ~ "'") }} as retailer_key,
    '{{ name }}' as retailer,
    '{{ unit_price_is }}' as unit_price_is,
    '{{ beside }}' as beside_the_amount
{% endfor %}
