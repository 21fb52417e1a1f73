{#
    Views on PostgreSQL, where readers read them: dbt's own materialization would drop the view for
    a moment, and all views over it. One that readers see stays as it is until a publication that is
    made anew replaces it (macros/ref.sql); the others are nobody's but the run's.
#}
{% materialization view, adapter='postgres' %}
    {%- set is_for_readers = this.schema == 'marts' -%}
    {%- set target = as_built(this.include(database=false)).incorporate(type='view') -%}
    {%- set is_there = adapter.get_relation(this.database, target.schema, this.identifier) is not none -%}
    {% call statement('main') -%}
        {%- if is_for_readers and is_there -%}
            select 1
        {%- else -%}
            drop view if exists {{ target }} cascade;
            create view {{ target }} as (
                {{ sql }}
            )
        {%- endif -%}
    {%- endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [this.incorporate(type='view')]}) }}
{% endmaterialization %}


{#
    On DuckDB readers have views of their own, and one of the run's is replaced (replaced.sql).
#}
{% materialization view, adapter='duckdb' %}
    {{ return(replace_this('view', sql)) }}
{% endmaterialization %}
