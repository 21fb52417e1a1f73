{#
    Of each day built, this relation holds as many records and as much money as another one.

    scope: which rows of this relation count (see `within_scope`); of the other one, those of the days
    built that `counted` lets through. amount: the column of money, the same in both.
#}
{% test holds_all_of(model, dataset, other, scope='day', counted='1 = 1', amount='amount') %}
with expected as (

    select _book_date, count(*) as row_count, sum({{ amount }}) as amount
    from {{ other }}
    where {{ within_scope(dataset, 'day') }}
        and {{ counted }}
    group by _book_date

),

found as (

    select _book_date, count(*) as row_count, sum({{ amount }}) as amount
    from {{ model }}
    where {{ within_scope(dataset, scope) }}
    group by _book_date

)

select
    coalesce(expected._book_date, found._book_date) as _book_date,
    expected.row_count as expected_row_count,
    found.row_count as found_row_count,
    expected.amount as expected_amount,
    found.amount as found_amount
from expected
full outer join found on expected._book_date = found._book_date
where expected.row_count is distinct from found.row_count
    or expected.amount is distinct from found.amount
{% endtest %}
