{#
    Incremental strategy `rebuild`: replace all rows of the days that this run builds (unique_key
    `_book_date`), leave the rest.

    What goes is decided by ops.build_day, not by the new rows: a day that has become empty is
    emptied, where dbt's own delete+insert would leave its old rows behind.
#}
{% macro get_incremental_rebuild_sql(arg_dict) -%}
    {%- if arg_dict['unique_key'] != '_book_date' -%}
        {{ exceptions.raise_compiler_error("Strategy rebuild needs unique_key _book_date.") }}
    {%- endif -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}

    delete from {{ arg_dict['target_relation'] }}
    where _book_date in (
        select build_day.book_date from {{ build_days(config.get('meta')['dataset']) }} as build_day
    );

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }};
{%- endmacro %}
