{#
    The statement by which a relation holds what a query says, whatever it was before.

    DuckDB replaces a relation in one statement. dbt's own materializations build it under another
    name, rename both and drop the old one: each of these is a macro of the adapter, for which dbt
    puts all macros of the project together again.
#}
{% macro replaced(target, sql) -%}
    {{ return(adapter.dispatch('replaced', 'clearhouse')(target, sql)) }}
{%- endmacro %}

{% macro default__replaced(target, sql) -%}
    {%- do drop_relation_if_exists(load_cached_relation(target)) -%}
    {{ create_view_as(target, sql) if target.is_view else create_table_as(False, target, sql) }}
{%- endmacro %}

{% macro duckdb__replaced(target, sql) -%}
    {%- set before = load_cached_relation(target) -%}
    {%- if before is not none and before.type != target.type -%}
        {%- do drop_relation_if_exists(before) -%}
    {%- endif -%}
    create or replace {{ target.type }} {{ target }} as (
        {{ sql }}
    )
{%- endmacro %}


{# All that a materialization does whose model becomes a relation of a kind by one query. #}
{% macro replace_this(kind, sql) %}
    {%- set target = this.incorporate(type=kind) -%}
    {% call statement('main') -%}
        {{ replaced(target, sql) }}
    {%- endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmacro %}
