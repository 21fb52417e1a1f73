{#
    The rows of a gold fact that the publication pointer names: of each day the one entry that
    readers see. Every derived table begins here.
    A query, to be used inside parentheses or as the body of a CTE.
#}
{% macro published_rows(fact, domain, dataset) -%}
    select fact.*
    from {{ fact }} as fact
    inner join {{ source('ops', 'publication') }} as publication
        on fact._entry_id = publication.entry_id
        and fact._book_date = publication.book_date
    where publication.domain = '{{ domain }}'
        and publication.dataset = '{{ dataset }}'
{%- endmacro %}
