{#
    Materialization `touched`: a table of what the publication being made touches. Where that is
    everything, a view: another copy of every row costs more than asking for the rows again.
#}
{% materialization touched, default %}
    {%- set kind = 'view' if is_made_anew() else 'table' -%}
    {%- set target = this.incorporate(type=kind) -%}
    {% call statement('main') -%}
        {{ replaced(target, sql) }}
    {%- endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
