{#
    Tables on DuckDB, where no reader reads them (replaced.sql).
#}
{% materialization table, adapter='duckdb' %}
    {{ return(replace_this('table', sql)) }}
{% endmaterialization %}
