{# No two rows have the same values in these columns: nulls count as equal. #}
{% test keys_are_unique(model, columns) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
