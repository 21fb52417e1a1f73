{#
    Records that belong together by references that they share.

    A relation of references has a row (reference, is_asking, _record_key) for each reference of a
    record, with is_asking false; and one more, with is_asking true, where the record also asks who
    else has the reference. Two records are neighbours where one asks for a reference of the other.
    So a reference that thousands have and nobody asks for connects nothing.
#}

{#
    The keys of records that are connected with touched ones, over any number of neighbours, by
    references as they were or as they will be: what follows from records of a whole group stays
    as it is for all other records. A query.

    references: the model of references, served in gold: those of the touched keys.

    The search is over references and not over records, so that a group costs what it has of both,
    and not their pairs; and it looks at records that are not touched alone.
#}
{% macro connected_keys(references, touched) -%}
    with recursive reached as (

        select reference, is_asking
        from (
            select reference, is_asking
            from {{ served('gold', references) }} as served
            where _record_key in (select _record_key from {{ touched }})

            union all

            select reference, is_asking
            from {{ references }} as delta
        ) as of_touched

        union

        {{ references_beside(references, touched) }}

    )

    select _record_key
    from {{ touched }}

    union

    select met._record_key
    from {{ references_of_others(references, touched) }} as met
    where (met.reference, met.is_asking) in (select reference, not is_asking from reached)
{%- endmacro %}


{# The references of records that are neighbours by what is `reached`. A query. #}
{% macro references_beside(references, touched) -%}
    {{ return(adapter.dispatch('references_beside', 'clearhouse')(references, touched)) }}
{%- endmacro %}

{% macro default__references_beside(references, touched) -%}
    select beside.reference, beside.is_asking
    from reached
    inner join {{ references_of_others(references, touched) }} as met
        on met.reference = reached.reference
        and met.is_asking = (not reached.is_asking)
    inner join {{ served('gold', references) }} as beside
        on beside._record_key = met._record_key
{%- endmacro %}

{# DuckDB does not know how little is reached, and would hash all references for the joins. #}
{% macro duckdb__references_beside(references, touched) -%}
    select beside.reference, beside.is_asking
    from {{ served('gold', references) }} as beside
    where beside._record_key in (
        select met._record_key
        from {{ references_of_others(references, touched) }} as met
        where (met.reference, met.is_asking) in (select reference, not is_asking from reached)
    )
{%- endmacro %}


{# The references of records that are not touched. A relation. #}
{% macro references_of_others(references, touched) -%}
    (
        select reference, is_asking, _record_key
        from {{ served('gold', references) }} as served
        where not exists (
            select 1 from {{ touched }} as touched where touched._record_key = served._record_key
        )
    )
{%- endmacro %}
