{#
    Materialization `delta`: a table of those rows of a derived table that a publication changes.

    The model's own table (schema `next`) holds nothing but the rows of the keys that are touched.
    Clearhouse puts them in place of the same keys' rows of the table of the same name in the schema
    `meta.served_in`, in the transaction that flips the pointers.

    Where that table is not there, everything is touched: the rows are built into it, and the model's
    own relation is a view of it.
#}
{% materialization delta, default %}
    {%- set served_in = schema_served(config.get('meta')['served_in']) -%}
    {%- set served_table = api.Relation.create(schema=served_in, identifier=this.identifier) -%}
    {%- set is_there = adapter.get_relation(this.database, served_in, this.identifier) is not none -%}
    {%- if is_there %}
        {%- set target = this.incorporate(type='table') -%}
        {% call statement('main') -%}
            {{ replaced(target, sql) }}
        {%- endcall %}
        {% do counted(target) %}
    {%- else %}
        {%- set target = this.incorporate(type='view') -%}
        {% do drop_relation_if_exists(load_cached_relation(this)) %}
        {% call statement('main') -%}
            {{ create_table_as(False, served_table, sql) }}
        {%- endcall %}
        {% do counted(served_table) %}
        {% do run_query('create view ' ~ target ~ ' as select * from ' ~ served_table) %}
    {%- endif %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

