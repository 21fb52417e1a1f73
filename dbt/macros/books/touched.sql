{#
    The record keys that the publication being made touches: those of every row of a day whose
    pointer changes, as it was and as it will be.
#}
{% macro touched_keys(fact, dataset) -%}
    select distinct fact._record_key
    from {{ fact }} as fact
    inner join (
        select book_date, entry_id
        from {{ source('ops', 'pending') }}
        where dataset = '{{ dataset }}'
            and entry_id is not null

        union

        select publication.book_date, publication.entry_id
        from {{ source('ops', 'publication') }} as publication
        inner join {{ source('ops', 'pending') }} as pending
            on publication.dataset = pending.dataset
            and publication.book_date = pending.book_date
        where publication.dataset = '{{ dataset }}'
    ) as pointer
        on fact._entry_id = pointer.entry_id
        and fact._book_date = pointer.book_date
{%- endmacro %}


{#
    Among the touched keys, the published rows that readers don't see: the same bytes again
    (duplicate), and older versions of a corrected record (superseded).

    A version counts from the day its bytes first arrived. Bytes that arrive again bring nothing
    new, so a redelivery of an old version can't undo the correction that came between.
#}
{% macro hidden_records(fact, touched, dataset, amount='amount', currency='currency') -%}
    with published as (

        {{ published_rows(fact, dataset) }}

    ),

    -- A day holds a key once, so a key seen once over all days hides nothing.
    repeated as (

        select published._record_key
        from published
        inner join {{ touched }} as touched on published._record_key = touched._record_key
        group by published._record_key
        having count(*) > 1

    ),

    arrivals as (

        select
            published._record_id,
            published._record_key,
            published._book_date,
            published.{{ amount }},
            published.{{ currency }},
            min(published._book_date) over (
                partition by published._record_key, published._record_id
            ) as first_arrived_on
        from published
        inner join repeated on published._record_key = repeated._record_key

    ),

    judged as (

        select
            arrivals.*,
            max(first_arrived_on) over (partition by _record_key) as last_version_arrived_on
        from arrivals

    )

    select
        _record_id,
        _record_key,
        _book_date,
        {{ amount }},
        {{ currency }},
        case when _book_date > first_arrived_on then 'duplicate' else 'superseded' end as reason
    from judged
    where _book_date > first_arrived_on
        or first_arrived_on < last_version_arrived_on
{%- endmacro %}


{#
    Hidden records after the publication being made: those of keys that it does not touch as they
    are, and the others as the delta says. A relation, to be used behind FROM or JOIN.
#}
{% macro hidden_after(delta, touched) -%}
    (
        select _record_id, _book_date
        from {{ served('gold', delta) }} as hidden
        where not exists (
            select 1 from {{ touched }} as touched where touched._record_key = hidden._record_key
        )

        union all

        select _record_id, _book_date
        from {{ delta }}
    )
{%- endmacro %}
