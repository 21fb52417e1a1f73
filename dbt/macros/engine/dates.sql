{# ISO day of week of a date: 1 is Monday, 7 is Sunday. #}
{% macro iso_day_of_week(date_value) -%}
    {{ return(adapter.dispatch('iso_day_of_week', 'clearhouse')(date_value)) }}
{%- endmacro %}

{% macro default__iso_day_of_week(date_value) -%}
    cast(extract(isodow from {{ date_value }}) as integer)
{%- endmacro %}
