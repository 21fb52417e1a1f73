{#
    Lets the planner know how many rows a new table has, where it does not count them by itself in
    time: joins of millions of rows are planned by it.
#}
{% macro counted(relation) -%}
    {{ return(adapter.dispatch('counted', 'clearhouse')(relation)) }}
{%- endmacro %}

{% macro default__counted(relation) -%}
{%- endmacro %}

{% macro postgres__counted(relation) -%}
    {% do run_query('analyze ' ~ relation) %}
{%- endmacro %}
