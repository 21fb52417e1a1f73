{#
    Materialization `touched`: a table of what the publication being made touches. Where that is
    everything, a view: another copy of every row costs more than asking for the rows again.
#}
{% materialization touched, default %}
    {{ return(replace_this('view' if is_made_anew() else 'table', sql)) }}
{% endmaterialization %}
