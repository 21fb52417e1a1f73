{# ISO day of week of a date: 1 is Monday, 7 is Sunday. #}
{% macro iso_day_of_week(date_value) -%}
    {{ return(adapter.dispatch('iso_day_of_week', 'clearhouse')(date_value)) }}
{%- endmacro %}

{% macro default__iso_day_of_week(date_value) -%}
    cast(extract(isodow from {{ date_value }}) as integer)
{%- endmacro %}


{# The year that an ISO week belongs to: 2024-12-30 is in week 1 of 2025. #}
{% macro iso_year(date_value) -%}
    {{ return(adapter.dispatch('iso_year', 'clearhouse')(date_value)) }}
{%- endmacro %}

{% macro default__iso_year(date_value) -%}
    cast(extract(isoyear from {{ date_value }}) as integer)
{%- endmacro %}


{# ISO week of a date, 1 to 53. #}
{% macro iso_week(date_value) -%}
    {{ return(adapter.dispatch('iso_week', 'clearhouse')(date_value)) }}
{%- endmacro %}

{% macro default__iso_week(date_value) -%}
    cast(extract(week from {{ date_value }}) as integer)
{%- endmacro %}


{# The first day of the period (year, quarter, month or week) that a date is in, as a date. #}
{% macro period_start(period, date_value) -%}
    {{ return(adapter.dispatch('period_start', 'clearhouse')(period, date_value)) }}
{%- endmacro %}

{% macro default__period_start(period, date_value) -%}
    cast(date_trunc('{{ period }}', {{ date_value }}) as date)
{%- endmacro %}


{# A date as a whole number that people read and join by: 2024-03-09 is 20240309. #}
{% macro date_key(date_value) -%}
    (
        extract(year from {{ date_value }}) * 10000
        + extract(month from {{ date_value }}) * 100
        + extract(day from {{ date_value }})
    )
{%- endmacro %}


{# All days from the first to the last, a query with the one column `day`. #}
{% macro days_between(first, last) -%}
    {{ return(adapter.dispatch('days_between', 'clearhouse')(first, last)) }}
{%- endmacro %}

{% macro default__days_between(first, last) -%}
    select cast(series.moment as date) as day
    from generate_series(
        timestamp '{{ first }}', timestamp '{{ last }}', interval '1 day'
    ) as series(moment)
{%- endmacro %}


{# A date some days later. #}
{% macro plus_days(date_value, days) -%}
    {{ return(adapter.dispatch('plus_days', 'clearhouse')(date_value, days)) }}
{%- endmacro %}

{% macro default__plus_days(date_value, days) -%}
    cast({{ date_value }} + interval '{{ days }} day' as date)
{%- endmacro %}
