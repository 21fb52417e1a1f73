{#
    The days of a dataset that this run builds, with the entries that their rows are tagged with.
    A relation (book_date, silver_entry_id, gold_entry_id), to be used behind FROM or JOIN.
#}
{% macro build_days(dataset) -%}
    (
        select book_date, silver_entry_id, gold_entry_id
        from {{ source('ops', 'build_day') }}
        where dataset = '{{ dataset }}'
    )
{%- endmacro %}


{#
    Restricts a test to what this run built, so that a week inside a year stays cheap.
    scope 'day': rows of the days built; 'entry': rows of the gold entries built; 'all': no restriction.
#}
{% macro within_scope(dataset, scope) -%}
    {%- if scope == 'day' -%}
        _book_date in (select book_date from {{ build_days(dataset) }} as build_day)
    {%- elif scope == 'entry' -%}
        _entry_id in (select gold_entry_id from {{ build_days(dataset) }} as build_day)
    {%- elif scope == 'all' -%}
        1 = 1
    {%- else -%}
        {{ exceptions.raise_compiler_error("scope is day, entry or all, not '" ~ scope ~ "'.") }}
    {%- endif -%}
{%- endmacro %}
