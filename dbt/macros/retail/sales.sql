{# The key of a member in its retailer's own namespace; 0, the unknown member, for a null. #}
{% macro dimension_key(retailer, code) -%}
    coalesce({{ hashed_key(retailer ~ " || '|' || " ~ code) }}, 0)
{%- endmacro %}


{#
    A price before a discount in percent, to the cent: the whole cents by 10,000, over the basis
    points that are left, half up. The price itself without a discount, and where all is discounted:
    then nothing says what it was.
#}
{% macro before_discount(price, percentage) -%}
    {%- set left = '(10000 - cast(' ~ percentage ~ ' * 100 as bigint))' -%}
    case
        when coalesce({{ percentage }}, 0) = 0 or {{ percentage }} = 100 then {{ price }}
        else {{ from_cents(
            whole_quotient('2 * 10000 * ' ~ cents(price) ~ ' + ' ~ left, '2 * ' ~ left)
        ) }}
    end
{%- endmacro %}


{# The measures of a group of sale lines, as columns of a select. #}
{% macro sale_measures() -%}
    count(*) as line_count,
    count(distinct sale_id) as sale_count,
    cast(sum(quantity) as bigint) as net_quantity,
    cast(sum(gross_amount) as decimal(18, 2)) as gross_amount,
    cast(sum(discount_amount) as decimal(18, 2)) as discount_amount,
    cast(sum(return_amount) as decimal(18, 2)) as return_amount,
    cast(sum(total_amount) as decimal(18, 2)) as net_amount,
    cast(coalesce(sum(tax_amount), 0) as decimal(18, 2)) as tax_amount,
    cast(coalesce(sum(shipping_cost), 0) as decimal(18, 2)) as shipping_amount
{%- endmacro %}


{# The same of groups that are summed up further: sales of several days are other sales. #}
{% macro summed_measures() -%}
    cast(sum(line_count) as bigint) as line_count,
    cast(sum(net_quantity) as bigint) as net_quantity,
    cast(sum(gross_amount) as decimal(18, 2)) as gross_amount,
    cast(sum(discount_amount) as decimal(18, 2)) as discount_amount,
    cast(sum(return_amount) as decimal(18, 2)) as return_amount,
    cast(sum(net_amount) as decimal(18, 2)) as net_amount,
    cast(sum(tax_amount) as decimal(18, 2)) as tax_amount,
    cast(sum(shipping_amount) as decimal(18, 2)) as shipping_amount
{%- endmacro %}


{# The calendar of dim_date: a sale outside it has the date_key 0, the unknown member. #}
{% macro first_calendar_day() -%} 2000-01-01 {%- endmacro %}
{% macro last_calendar_day() -%} 2049-12-31 {%- endmacro %}


{#
    The customers or stores that a publication touches, from the lines that readers see of them.

    entity: `customer` or `store`: its columns are <entity>_key and <entity>_id.
#}
{% macro members_of_sales(entity, touched, brought, hidden, touched_keys) -%}
    select
        {{ entity }}_key,
        max(retailer) as retailer,
        max({{ entity }}_id) as {{ entity }}_id,
        min(sale_date) as first_sale_on,
        max(sale_date) as last_sale_on
    from (
        {{ visible_after(brought, hidden, touched_keys, 'retail.sales') }}
    ) as visible
    where {{ is_touched(entity ~ '_key', touched) }}
        and {{ entity }}_key <> 0
    group by {{ entity }}_key
{%- endmacro %}
