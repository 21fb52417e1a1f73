{#
    Materialization `entries`: a gold fact whose rows are kept by entry, each entry beside earlier
    ones. What this run builds is written anew; what earlier runs built stays.

    On DuckDB an entry is a Parquet file. New files are written to a staging folder, and for the rest
    of the run the fact is a view of these alone: its tests look at what was built, and opening the
    files of all days would be most of their time. When build and tests have passed, Clearhouse moves
    staged files to their places, registers them, and lets the fact be all that is registered.

    A quarter at a time: DuckDB keeps room for rows of every file that it writes, and of a year's
    files at once takes memory and gives it back for a sixth of the time.
#}
{% materialization entries, adapter='duckdb' %}
    {%- set target = this.incorporate(type='view') -%}
    {%- set fact = this.schema ~ '.' ~ this.identifier -%}
    {%- set staging = env_var('CLEARHOUSE_GOLD') | replace("'", "''") ~ '/' ~ fact ~ '/staging' -%}
    {%- set quarters = run_query(
        "select min(book_date) as first_day, max(book_date) as last_day
        from ops.build_day group by date_trunc('quarter', book_date)"
    ) -%}
    {%- for quarter in quarters.rows or [none] %}
    {% call statement('main') -%}
        copy (
            select * from (
                {{ sql }}
            ) as built
            {%- if quarter is not none %}
            where _book_date between '{{ quarter['first_day'] }}' and '{{ quarter['last_day'] }}'
            {%- endif %}
        ) to '{{ staging }}' (
            format parquet, compression zstd, compression_level 1,
            partition_by (_book_date, _entry_id), write_partition_columns true,
            overwrite_or_ignore true
        )
    {%- endcall %}
    {%- endfor %}
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
    On PostgreSQL the fact is a table, partitioned by the month of `_book_date`. What a run builds
    stands beside it, partitioned alike, and its tests read that (macros/ref.sql). When they have
    passed, Clearhouse lets a month that the fact has not yet become part of it as it is, and puts
    the rows of other months in place of the same entries' rows: these need no log until then.
#}
{% materialization entries, adapter='postgres' %}
    {%- set built = built_entries(this) -%}
    {%- set shape = built.incorporate(path={'identifier': built.identifier ~ '_shape'}) -%}
    {% do run_query('drop table if exists ' ~ built ~ ', ' ~ shape) %}
    {%- set months = run_query(
        "select distinct
            to_char(book_date, 'YYYY_MM') as month,
            cast(date_trunc('month', book_date) as date) as first_day,
            cast(date_trunc('month', book_date) + interval '1 month' as date) as following,
            to_regclass('" ~ this.schema ~ "." ~ this.identifier ~ "_' || to_char(book_date, 'YYYY_MM'))
                is null as is_new
        from ops.build_day"
    ) -%}
    {% call statement('main') -%}
        create table {{ shape }} as (
            {{ sql }}
        ) with no data;
        create table {{ built }} (like {{ shape }}) partition by range (_book_date);
        drop table {{ shape }};
        {%- for month in months %}
        create {{ 'unlogged' if not month['is_new'] }} table
            {{ built.incorporate(path={'identifier': this.identifier ~ '_' ~ month['month']}) }}
            partition of {{ built }} for values
            from ('{{ month['first_day'] }}') to ('{{ month['following'] }}');
        {%- endfor %}
        insert into {{ built }}
            {{ sql }}
    {%- endcall %}
    {% do counted(built) %}
    {% do adapter.commit() %}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}
