{#
    Which entry of each day of a dataset readers see after the publication that is being made:
    what they see now, and over it the changes in ops.pending (a null entry: the day is withdrawn).
    A relation (book_date, entry_id), to be used behind FROM or JOIN.
#}
{% macro next_pointers(dataset) -%}
    (
        select publication.book_date, publication.entry_id
        from {{ source('ops', 'publication') }} as publication
        where publication.dataset = '{{ dataset }}'
            and not exists (
                select 1
                from {{ source('ops', 'pending') }} as pending
                where pending.dataset = publication.dataset
                    and pending.book_date = publication.book_date
            )

        union all

        select book_date, entry_id
        from {{ source('ops', 'pending') }}
        where dataset = '{{ dataset }}'
            and entry_id is not null
    )
{%- endmacro %}


{#
    The rows of a gold fact that readers see after the publication that is being made, duplicates
    and superseded ones included. A query, to be used inside parentheses or as the body of a CTE.
#}
{% macro published_rows(fact, dataset) -%}
    select fact.*
    from {{ fact }} as fact
    inner join {{ next_pointers(dataset) }} as pointer
        on fact._entry_id = pointer.entry_id
        and fact._book_date = pointer.book_date
{%- endmacro %}


{# The rows of a gold fact that the publication in force names. For what readers open. #}
{% macro served_rows(fact, dataset) -%}
    select fact.*
    from {{ fact }} as fact
    inner join {{ source('ops', 'publication') }} as publication
        on fact._entry_id = publication.entry_id
        and fact._book_date = publication.book_date
    where publication.dataset = '{{ dataset }}'
{%- endmacro %}


{# The table that a model with the materialization `delta` is applied to. #}
{% macro served(schema, model_ref) -%}
    {{ schema }}.{{ model_ref.identifier }}
{%- endmacro %}
