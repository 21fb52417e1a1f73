{#
    Exact arithmetic on money with two decimal places. Division of decimals gives a float on some
    engines (DuckDB among them), so amounts are divided as whole cents.
#}

{# Whole cents of an amount: 45.90 -> 4590, a bigint. #}
{% macro cents(amount) -%}
    cast(({{ amount }}) * 100 as bigint)
{%- endmacro %}


{# The amount of whole cents, a decimal(15, 2): 4590 -> 45.90. #}
{% macro from_cents(value) -%}
    cast(cast({{ value }} as decimal(17, 2)) * cast(0.01 as decimal(3, 2)) as decimal(15, 2))
{%- endmacro %}


{# Quotient of two whole numbers, cut off toward zero. #}
{% macro whole_quotient(dividend, divisor) -%}
    {{ return(adapter.dispatch('whole_quotient', 'clearhouse')(dividend, divisor)) }}
{%- endmacro %}

{% macro default__whole_quotient(dividend, divisor) -%}
    (({{ dividend }}) / ({{ divisor }}))
{%- endmacro %}

{% macro duckdb__whole_quotient(dividend, divisor) -%}
    (({{ dividend }}) // ({{ divisor }}))
{%- endmacro %}


{#
    An amount divided into `parts` equal parts, rounded half away from zero to the cent.
    A decimal(15, 2); null where there are no parts.
#}
{% macro even_part(amount, parts) -%}
    {%- set doubled = '2 * abs(' ~ cents(amount) ~ ') + (' ~ parts ~ ')' -%}
    {{ from_cents('sign(' ~ amount ~ ') * ' ~ whole_quotient(doubled, 'nullif(2 * (' ~ parts ~ '), 0)')) }}
{%- endmacro %}


{# Share of a part in a whole, from 0 to 1, as a double; null where the whole is 0. Not for money. #}
{% macro share(part, whole) -%}
    {{ return(adapter.dispatch('share', 'clearhouse')(part, whole)) }}
{%- endmacro %}

{% macro default__share(part, whole) -%}
    (cast({{ part }} as double precision) / nullif({{ whole }}, 0))
{%- endmacro %}
