{#
    Materialization `entries`: a gold fact whose rows are kept by entry, each entry beside earlier
    ones. What this run builds is written anew; what earlier runs built stays.

    On DuckDB an entry is a Parquet file. New files are written to a staging folder, and for the rest
    of the run the fact is a view of these alone: its tests look at what was built, and opening the
    files of all days would be most of their time. When build and tests have passed, Clearhouse moves
    staged files to their places, registers them, and lets the fact be all that is registered.
#}
{% materialization entries, adapter='duckdb' %}
    {%- set target = this.incorporate(type='view') -%}
    {%- set fact = this.schema ~ '.' ~ this.identifier -%}
    {%- set staging = env_var('CLEARHOUSE_GOLD') | replace("'", "''") ~ '/' ~ fact ~ '/staging' -%}
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
    {% do run_query(
        'create or replace view ' ~ fact ~ " as select * from read_parquet('"
        ~ staging ~ "/**/*.parquet', hive_partitioning = false)"
    ) %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}


{#
    On PostgreSQL the fact is a table. What a run builds stands beside it, and its tests read that
    (macros/ref.sql). When they have passed, Clearhouse puts the new rows in place of the same
    entries' rows.
#}
{% materialization entries, adapter='postgres' %}
    {%- set built = built_entries(this) -%}
    {% do run_query('drop table if exists ' ~ built) %}
    {% call statement('main') -%}
        create unlogged table {{ built }} as (
            {{ sql }}
        )
    {%- endcall %}
    {% do counted(built) %}
    {% do adapter.commit() %}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}
