{# The rows of a gold fact that the publication in force names. For what readers open. #}
{% macro served_rows(fact, dataset) -%}
    select fact.*
    from {{ fact }} as fact
    inner join {{ source('ops', 'publication') }} as publication
        on fact._entry_id = publication.entry_id
        and fact._book_date = publication.book_date
    where publication.dataset = '{{ dataset }}'
{%- endmacro %}


{#
    The table that a model with the materialization `delta` is applied to. A unit test gives rows in
    place of the model, under a name with a prefix; the table is then the real one.
#}
{% macro served(schema, model_ref) -%}
    {{ schema_served(schema) }}.{{ model_ref.identifier | replace('__dbt__cte__', '') }}
{%- endmacro %}


{#
    The schema in which tables that are served in another one are while a publication is made. Where
    readers read the engine's own tables, these stand in `gold`, with views of them in `marts`; those
    that are made anew are built beside.
#}
{% macro schema_served(schema) -%}
    {{ return(adapter.dispatch('schema_served', 'clearhouse')(schema)) }}
{%- endmacro %}

{% macro default__schema_served(schema) -%}
    {{ return(schema) }}
{%- endmacro %}

{% macro postgres__schema_served(schema) -%}
    {%- set stands_in = 'gold' if schema == 'marts' else schema -%}
    {{ return(env_var('CLEARHOUSE_FRESH', '') or stands_in if stands_in == 'gold' else schema) }}
{%- endmacro %}


{#
    The rows of a gold fact of the days whose pointer the publication being made changes: of the
    entries as they were, and as they will be. Clearhouse makes this relation before the models run,
    so that nothing needs to look through the rows of all days for them.
#}
{% macro rows_of_changed_days(fact) -%}
    {{ served('next', fact) }}
{%- endmacro %}


{#
    Whether derived tables are built anew: the publication being made then brings every published
    row, and nothing is served that it leaves as it is. What is asked of its rows alone is asked
    once, and not of an empty table as well.
#}
{% macro is_made_anew() -%}
    {{ return(env_var('CLEARHOUSE_ANEW', '') != '') }}
{%- endmacro %}


{#
    A condition: the rows of entities that the publication being made touches; all, where it is made
    anew.

    column: the entity's column, or several. touched: the model that lists the entities.
    touched_column: their column in it, where that is called otherwise.
#}
{% macro is_touched(column, touched, touched_column=none) -%}
    {%- if is_made_anew() -%}
        true
    {%- else -%}
        {{ column }} in (select {{ touched_column or column }} from {{ touched }})
    {%- endif -%}
{%- endmacro %}


{# The rows of a gold fact that the publication being made brings. A query. #}
{% macro brought_rows(fact, dataset) -%}
    select fact.*
    from {{ rows_of_changed_days(fact) }} as fact
    inner join {{ source('ops', 'pending') }} as pending
        on fact._entry_id = pending.entry_id
        and fact._book_date = pending.book_date
    where pending.dataset = '{{ dataset }}'
{%- endmacro %}


{#
    Published rows after the publication being made, duplicates and superseded ones included: those
    of days that it does not change, and those that it brings. A relation, to be used behind FROM.

    brought: the model of `brought_rows`, with the columns that derived tables need.
#}
{% macro published_after(brought, dataset) -%}
    {%- if is_made_anew() -%}
    {{ brought }}
    {%- else -%}
    (
        select served.*
        from {{ served('gold', brought) }} as served
        where served._book_date not in (
            select book_date from {{ source('ops', 'pending') }} where dataset = '{{ dataset }}'
        )

        union all

        select * from {{ brought }}
    )
    {%- endif -%}
{%- endmacro %}
