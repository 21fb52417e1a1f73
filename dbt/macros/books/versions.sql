{#
    Of a day's rows, those that a later row of the same day and key replaces: a query (_book_date,
    _record_id), to be used as a common table expression.

    Few keys have several rows of a day. Those are put in order, and not all rows by a window.

    rows: a relation with _book_date, _record_id, _object_version, _line and the key. at: the column
    of a row's moment; without it, later is what arrived later.
#}
{% macro superseded_within_the_day(rows, key='_record_key', at=none) -%}
    select versions._book_date, versions._record_id
    from (
        select
            rows_of_day._book_date,
            rows_of_day._record_id,
            row_number() over (
                partition by rows_of_day._book_date, rows_of_day.{{ key }}
                order by
                    {{ 'rows_of_day.' ~ at ~ ' desc,' if at }}
                    rows_of_day._object_version desc,
                    rows_of_day._line desc
            ) as age
        from {{ rows }} as rows_of_day
        inner join (
            select _book_date, {{ key }}
            from {{ rows }}
            group by _book_date, {{ key }}
            having count(*) > 1
        ) as several
            on rows_of_day._book_date = several._book_date
            and rows_of_day.{{ key }} = several.{{ key }}
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
