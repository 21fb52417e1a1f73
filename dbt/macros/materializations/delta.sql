{#
    Materialization `delta`: a table of those rows of a derived table that a publication changes.

    The model's own table (schema `next`) holds nothing but the rows of the keys that are touched.
    Clearhouse puts them in place of the same keys' rows of the table of the same name in the
    schema `meta.served_in`, in the transaction that flips the pointers. That table is made here, empty,
    where it is not there yet.
#}
{% materialization delta, default %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set served_table = config.get('meta')['served_in'] ~ '.' ~ this.identifier -%}
    {% do drop_relation_if_exists(load_cached_relation(this)) %}
    {% call statement('main') -%}
        {{ create_table_as(False, target, sql) }}
    {%- endcall %}
    {% do run_query(
        'create table if not exists ' ~ served_table ~ ' as select * from ' ~ target ~ ' where 1 = 0'
    ) %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
