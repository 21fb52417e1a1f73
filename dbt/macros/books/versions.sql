{#
    Of a day's rows, those that a later row of the same day and key replaces: a query (_book_date,
    _record_id), to be used as a common table expression.

    Corrections are rare: the versions of a key are put in order for the few keys that have several,
    not by a window over every row.

    rows: a relation of rows of bronze with _book_date, _record_key, _record_id, _object_version and
    _line.
#}
{% macro superseded_within_the_day(rows) -%}
    select versions._book_date, versions._record_id
    from (
        select
            rows_of_day._book_date,
            rows_of_day._record_id,
            row_number() over (
                partition by rows_of_day._book_date, rows_of_day._record_key
                order by rows_of_day._object_version desc, rows_of_day._line desc
            ) as age
        from {{ rows }} as rows_of_day
        inner join (
            select _book_date, _record_key
            from {{ rows }}
            group by _book_date, _record_key
            having count(*) > 1
        ) as corrected
            on rows_of_day._book_date = corrected._book_date
            and rows_of_day._record_key = corrected._record_key
    ) as versions
    where versions.age > 1
{%- endmacro %}


{#
    What readers see of a gold fact: its published rows without those that another version hides.
    For what readers open. A query.

    By an outer join, since DuckDB does not take what readers ask for (a day, a customer) through
    NOT EXISTS to the files: it would read those of all days.
#}
{% macro visible_rows(fact, hidden, dataset) -%}
    select published.*
    from (
        {{ served_rows(fact, dataset) }}
    ) as published
    left join {{ served('gold', hidden) }} as hidden
        on published._record_id = hidden._record_id
        and published._book_date = hidden._book_date
    where hidden._record_id is null
{%- endmacro %}
