{#
    The record keys that the publication being made touches: those of every row of a day whose
    pointer changes, as it was and as it will be.
#}
{% macro touched_keys(fact) -%}
    select distinct _record_key from {{ rows_of_changed_days(fact) }}
{%- endmacro %}


{#
    Among the touched keys, the published rows that readers don't see: the same bytes again
    (duplicate), and older versions of a corrected record (superseded).

    A version counts from the day its bytes first arrived. Bytes that arrive again bring nothing
    new, so a redelivery of an old version can't undo the correction that came between.

    restated: whether each answer of the source states anew what earlier ones said
        (`Dataset.restated`). A version then counts from the day its bytes last arrived.
#}
{% macro hidden_records(
    brought, touched, dataset, amount='amount', currency='currency', restated=false
) -%}
    with touched_rows as (

        select
            published._record_id,
            published._record_key,
            published._book_date,
            published.{{ amount }},
            published.{{ currency }}
        from {{ published_after(brought, dataset) }} as published
        where {{ is_touched('_record_key', touched) }}

    ),

    -- A day holds a key once, so a key seen once over all days hides nothing.
    repeated as (

        select _record_key
        from touched_rows
        group by _record_key
        having count(*) > 1

    ),

    arrivals as (

        select
            touched_rows._record_id,
            touched_rows._record_key,
            touched_rows._book_date,
            touched_rows.{{ amount }},
            touched_rows.{{ currency }},
            min(touched_rows._book_date) over (
                partition by touched_rows._record_key, touched_rows._record_id
            ) as first_arrived_on,
            {{ 'max' if restated else 'min' }}(touched_rows._book_date) over (
                partition by touched_rows._record_key, touched_rows._record_id
            ) as counts_from
        from touched_rows
        inner join repeated on touched_rows._record_key = repeated._record_key

    ),

    judged as (

        select
            arrivals.*,
            max(counts_from) over (partition by _record_key) as last_version_counts_from
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
        or counts_from < last_version_counts_from
{%- endmacro %}


{#
    Hidden records after the publication being made: those of keys that it does not touch as they
    are, and the others as the delta says. A relation, to be used behind FROM or JOIN.
#}
{% macro hidden_after(delta, touched) -%}
    {%- if is_made_anew() -%}
    {{ delta }}
    {%- else -%}
    (
        select served._record_id, served._book_date
        from {{ served('gold', delta) }} as served
        where not exists (
            select 1 from {{ touched }} as touched where touched._record_key = served._record_key
        )

        union all

        select _record_id, _book_date
        from {{ delta }}
    )
    {%- endif -%}
{%- endmacro %}


{# The published rows after the publication being made that readers see. A query. #}
{% macro visible_after(brought, hidden, touched, dataset) -%}
    select published.*
    from {{ published_after(brought, dataset) }} as published
    where not exists (
        select 1
        from {{ hidden_after(hidden, touched) }} as hidden
        where hidden._record_id = published._record_id
            and hidden._book_date = published._book_date
    )
{%- endmacro %}


{#
    The entities that the publication being made touches: those of any version of a touched record,
    also of one that readers no longer see. `entity` is a column, or several. With `at`, the column
    of a record's moment, each with the earliest moment among these (`touched_from`): what follows
    from records up to a moment stays as it is before that one. A query.
#}
{% macro touched_entities(entity, brought, touched, dataset, at=none) -%}
    select
        {{ entity }}
        {%- if at %},
        min({{ at }}) as touched_from
        {%- endif %}
    from (
        select {{ entity }}{{ ', ' ~ at if at }}
        from {{ brought }}
        {%- if not is_made_anew() %}

        union all

        select {{ entity }}{{ ', ' ~ at if at }}
        from {{ served('gold', brought) }}
        where _record_key in (select _record_key from {{ touched }})
        {%- endif %}
    ) as versions
    group by {{ entity }}
{%- endmacro %}


{#
    A derived table after the publication being made: the rows of entities that it does not touch as
    they are, and the others as the delta says. A relation, to be used behind FROM or JOIN.

    schema: where the table is served. key: the entity's column in both relations. touched_key: its
    column in `touched`, where that is called otherwise. among: a condition on columns of the table,
    for those rows alone for which it holds.
#}
{% macro derived_after(schema, delta, key, touched, touched_key=none, among='true') -%}
    (
        {%- if not is_made_anew() %}
        select served.*
        from {{ served(schema, delta) }} as served
        where not exists (
            select 1 from {{ touched }} as touched
            where touched.{{ touched_key or key }} = served.{{ key }}
        ) and {{ among }}

        union all
        {%- endif %}

        select *
        from {{ delta }} as delta
        where {{ among }}
    )
{%- endmacro %}
