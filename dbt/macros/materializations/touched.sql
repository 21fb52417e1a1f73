{#
    Materialization `touched`: a table of what the publication being made touches. Where that is
    everything, a view: another copy of every row costs more than asking for the rows again.
#}
{% materialization touched, default %}
    {%- set kind = 'view' if is_made_anew() else 'table' -%}
    {%- set target = this.incorporate(type=kind) -%}
    {% do drop_relation_if_exists(load_cached_relation(this)) %}
    {% call statement('main') -%}
        {{ create_view_as(target, sql) if kind == 'view' else create_table_as(False, target, sql) }}
    {%- endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
