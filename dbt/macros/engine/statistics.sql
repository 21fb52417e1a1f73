{#
    Lets the planner know how many rows a new table has, where it does not count them by itself in
    time: joins of millions of rows are planned by it.
#}
{% macro counted(relation) -%}
    {{ return(adapter.dispatch('counted', 'clearhouse')(relation)) }}
{%- endmacro %}

{% macro default__counted(relation) -%}
{%- endmacro %}

{#
    A sample of 3,000 rows: what is planned are joins of whole tables, not the search for one value,
    and one of the usual 30,000 takes as long as to write the table. An empty table is not counted:
    the planner would look through it for each row that is not to be in it.
#}
{% macro postgres__counted(relation) -%}
    {%- if run_query('select 1 from ' ~ relation ~ ' limit 1').rows | length -%}
        {% do run_query(
            'set default_statistics_target = 10; analyze ' ~ relation
            ~ '; reset default_statistics_target'
        ) %}
    {%- endif -%}
{%- endmacro %}
