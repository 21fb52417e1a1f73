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
    and not their pairs.
#}
{% macro connected_keys(references, touched) -%}
    with recursive reached as (

        select reference, is_asking
        from {{ references_before_and_after(references) }} as own
        where _record_key in (select _record_key from {{ touched }})

        union

        select beside.reference, beside.is_asking
        from reached
        inner join {{ references_before_and_after(references) }} as met
            on met.reference = reached.reference
            and met.is_asking = (not reached.is_asking)
        inner join {{ references_before_and_after(references) }} as beside
            on beside._record_key = met._record_key

    )

    select _record_key
    from {{ touched }}

    union

    select met._record_key
    from reached
    inner join {{ references_before_and_after(references) }} as met
        on met.reference = reached.reference
        and met.is_asking = (not reached.is_asking)
{%- endmacro %}


{% macro references_before_and_after(references) -%}
    (
        select reference, is_asking, _record_key
        from {{ served('gold', references) }}

        union all

        select reference, is_asking, _record_key
        from {{ references }}
    )
{%- endmacro %}
