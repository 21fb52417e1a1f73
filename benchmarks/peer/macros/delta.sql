{# The peer builds its marts whole: what our project mends is a plain table at the place of readers. #}
{% materialization delta, default %}
    {%- set target = api.Relation.create(
        database=this.database,
        schema=config.get('meta')['served_in'],
        identifier=this.identifier,
        type='table'
    ) -%}
    {% do drop_relation_if_exists(target) %}
    {% call statement('main') -%}
        {{ create_table_as(False, target, sql) }}
    {%- endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
