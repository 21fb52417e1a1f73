{#
    Materialization `entries`: a gold fact whose rows are kept by entry, each entry beside earlier
    ones. What this run builds is written anew; what earlier runs built stays.

    On DuckDB an entry is a Parquet file. New files are written to a staging folder, and the fact is
    a view over what is registered in ops.entry_file and what is staged. Clearhouse moves staged
    files to their places and registers them when the build and its tests have passed.
#}
{% materialization entries, adapter='duckdb' %}
    {%- set target = this.incorporate(type='view') -%}
    {%- set fact = this.schema ~ '.' ~ this.identifier -%}
    {%- set staging = env_var('CLEARHOUSE_GOLD') ~ '/' ~ fact ~ '/staging' -%}
    {% call statement('main') -%}
        copy (
            {{ sql }}
        ) to '{{ staging }}' (
            format parquet, compression zstd, compression_level 1,
            partition_by (_book_date, _entry_id), write_partition_columns true,
            overwrite_or_ignore true
        )
    {%- endcall %}
    {% do run_query(
        "copy (select * from (" ~ sql ~ ") limit 0) to '" ~ staging ~ "/empty.parquet' (format parquet)"
    ) %}
    {%- set files = run_query(
        "select path from ops.entry_file where relation = '" ~ fact ~ "'"
        ~ " and entry_id not in (select gold_entry_id from ops.build_day)"
        ~ " union all select file from glob('" ~ staging ~ "/**/*.parquet')"
    ).columns[0].values() -%}
    {% do run_query(
        'create or replace view ' ~ fact ~ " as select * from read_parquet(['"
        ~ files | join("', '") ~ "'], hive_partitioning = false, union_by_name = true)"
    ) %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
