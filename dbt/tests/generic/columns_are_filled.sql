{#
    None of the named columns holds a null: one scan for all of them, where a not_null each would
    be a scan each. One failing row per column, with its count of nulls.
#}
{% test columns_are_filled(model, dataset, columns, scope='day') %}
with nulls as (
    select
        {%- for column in columns %}
        count(*) - count({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}
    where {{ within_scope(dataset, scope) }}
)

{% for column in columns -%}
select '{{ column }}' as column_name, {{ column }} as null_count
from nulls
where {{ column }} > 0
{{ 'union all' if not loop.last }}
{% endfor %}
{% endtest %}
