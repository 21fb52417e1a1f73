{#
    A key of a dimension from the text of its natural key: the first 15 hexadecimal digits of the
    md5 as a bigint. The same in every run and engine, so that no look-up hands keys out, and days
    can be built in any order. Two of a million members share one with a probability of one in two
    million; a test of each dimension would find it.
#}
{% macro hashed_key(text_value) -%}
    {{ return(adapter.dispatch('hashed_key', 'clearhouse')(text_value)) }}
{%- endmacro %}

{% macro default__hashed_key(text_value) -%}
    cast(('x' || substr(md5({{ text_value }}), 1, 15))::bit(60) as bigint)
{%- endmacro %}

{% macro duckdb__hashed_key(text_value) -%}
    cast('0x' || substr(md5({{ text_value }}), 1, 15) as bigint)
{%- endmacro %}
