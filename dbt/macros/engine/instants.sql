{#
    Microseconds from 1970-01-01 to a naive timestamp, a bigint.

    Frames of time are given in whole microseconds: a frame by interval is not understood by every
    engine, and "strictly before" needs the smallest step of time as a number.
#}
{% macro epoch_microseconds(timestamp_value) -%}
    {{ return(adapter.dispatch('epoch_microseconds', 'clearhouse')(timestamp_value)) }}
{%- endmacro %}

{% macro default__epoch_microseconds(timestamp_value) -%}
    cast(extract(epoch from {{ timestamp_value }}) * 1000000 as bigint)
{%- endmacro %}

{# DuckDB's extract gives a double, and a double of microseconds is not exact for every date. #}
{% macro duckdb__epoch_microseconds(timestamp_value) -%}
    epoch_us({{ timestamp_value }})
{%- endmacro %}
