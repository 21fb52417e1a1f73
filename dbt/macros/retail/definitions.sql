{#
    For tests: the lines that readers see after the publication being made, all of them. A query.
    What a summary is by its definition is counted from these.
#}
{% macro lines_after() -%}
    {{ visible_after(
        ref('int_retail_published'), ref('int_retail_hidden_records'),
        ref('int_retail_touched_keys'), 'retail.sales'
    ) }}
{%- endmacro %}


{#
    Rows that one of two relations has and the other has not, or has more often: the same columns in
    the same order. A query with a column `which` before those columns.
#}
{% macro differences(found, expected) -%}
    select 'not as defined' as which, found.*
    from (
        select * from {{ found }} as one except all select * from {{ expected }} as other
    ) as found

    union all

    select 'missing' as which, missing.*
    from (
        select * from {{ expected }} as one except all select * from {{ found }} as other
    ) as missing
{%- endmacro %}


{# What a product was called on its last day among some lines, and on that day last. A column. #}
{% macro last_sold(column) -%}
    (array_agg({{ column }} order by sale_date desc, sold_at desc, _record_id))[1]
{%- endmacro %}


{#
    For tests of entities whose lines may lie anywhere in history: whether a key is in the part that
    is counted now. Each touched day names a sixteenth of the keys: a night counts a part of what it
    touches, nights one after another all parts, and a load of many days everything at once.
#}
{% macro is_in_part(key) -%}
    mod({{ key }}, 16) in (
        select mod(cast({{ date_key('sale_date') }} as bigint), 16)
        from {{ ref('int_retail_touched_days') }}
    )
{%- endmacro %}
