{# Of each key of a day built, exactly one row of silver is not superseded. #}
{% test one_current_row_per_key(model, dataset) %}
select _book_date, _record_key
from {{ model }}
where {{ within_scope(dataset, 'day') }}
group by _book_date, _record_key
having count(case when not _is_superseded then 1 end) <> 1
{% endtest %}
