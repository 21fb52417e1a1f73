{#
    Every row obeys every rule: `rules` maps a rule's name to an SQL condition. One scan for all.
    A condition that is null counts as broken. One failing row per rule, with its count of rows.
#}
{% test rows_obey(model, dataset, rules, scope='day') %}
with broken as (
    select
        {%- for name, condition in rules.items() %}
        sum(case when {{ condition }} then 0 else 1 end) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}
    where {{ within_scope(dataset, scope) }}
)

{% for name in rules -%}
select '{{ name }}' as rule, {{ name }} as row_count
from broken
where {{ name }} > 0
{{ 'union all' if not loop.last }}
{% endfor %}
{% endtest %}
