{#
    Indexes of silver on PostgreSQL, in place of dbt's own macro: a day is replaced and read by its
    date, and a record is looked for by its key, whatever the number of days.
#}
{% macro postgres__create_indexes(relation) -%}
    {%- if relation.schema == 'silver' -%}
        {%- for column in adapter.get_columns_in_relation(relation) | map(attribute='name')
            if column in ('_book_date', '_record_key') -%}
            {% do run_query('create index on ' ~ relation ~ ' (' ~ column ~ ')') %}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
