{#
    Relations without the name of their database: a view's text is then the same in the warehouse
    and in the file that readers open.
#}
{% macro ref() -%}
    {%- set relation = builtins.ref(*varargs, **kwargs) -%}
    {{ return(as_built(relation.include(database=false))) }}
{%- endmacro %}

{% macro source() -%}
    {{ return(builtins.source(*varargs).include(database=false)) }}
{%- endmacro %}


{#
    The relation in which a model is while it is built. Where readers read the engine's own tables,
    what is not published yet stands beside them:
    - a gold fact's new entries, until its tests have passed;
    - views that are made anew.
#}
{% macro as_built(relation) -%}
    {{ return(adapter.dispatch('as_built', 'clearhouse')(relation)) }}
{%- endmacro %}

{% macro default__as_built(relation) -%}
    {{ return(relation) }}
{%- endmacro %}

{% macro postgres__as_built(relation) -%}
    {%- if relation.schema == 'marts' -%}
        {{ return(relation.incorporate(path={'schema': env_var('CLEARHOUSE_FRESH', '') or 'marts'})) }}
    {%- elif execute and model.resource_type == 'test' and is_kept_by_entry(relation) -%}
        {%- set built = built_entries(relation) -%}
        {%- set is_there = "select to_regclass('" ~ built ~ "') is not null" -%}
        {%- if run_query(is_there).columns[0].values()[0] -%}
            {{ return(built) }}
        {%- endif -%}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}

{% macro is_kept_by_entry(relation) -%}
    {%- for node in graph.nodes.values() if node.name == relation.identifier -%}
        {{ return(node.config.materialized == 'entries') }}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}

{# The table of what a run built of a gold fact that is kept by entry. #}
{% macro built_entries(relation) -%}
    {{ return(api.Relation.create(
        schema='next', identifier=relation.identifier ~ '_built', type='table'
    )) }}
{%- endmacro %}
