{#
    Incremental strategy `rebuild`: replace exactly what this run builds, leave the rest.

    unique_key `_book_date`: all rows of the days built go, then the new ones come in.
    unique_key `_entry_id`:  only rows of the entries built go; rows of earlier entries stay beside.

    What goes is decided by ops.build_day, not by the new rows: a day that has become empty is
    emptied, where dbt's own delete+insert would leave its old rows behind.
#}
{% macro get_incremental_rebuild_sql(arg_dict) -%}
    {%- set key = arg_dict['unique_key'] -%}
    {%- set build_columns = {'_book_date': 'book_date', '_entry_id': 'gold_entry_id'} -%}
    {%- if key not in build_columns -%}
        {{ exceptions.raise_compiler_error("Strategy rebuild needs unique_key _book_date or _entry_id, not " ~ key ~ ".") }}
    {%- endif -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}

    delete from {{ arg_dict['target_relation'] }}
    where {{ key }} in (
        select build_day.{{ build_columns[key] }} from {{ build_days(model.fqn[1]) }} as build_day
    );

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }};
{%- endmacro %}
