{#
    The spine's columns are filled, `_record_id` is an md5, and no record stands twice within `by`
    (`_book_date` in silver, `_entry_id` in gold). One failing row per complaint, with its count.
#}
{% test spine_is_sound(model, dataset, by, scope='day') %}
with spine as (
    select _record_id, _record_key, _book_date, _entry_id
    from {{ model }}
    where {{ within_scope(dataset, scope) }}
),

complaints as (
    select
        'a spine column is null, or _record_id is not an md5' as complaint,
        count(*) as row_count
    from spine
    where _record_key is null
        or _book_date is null
        or _entry_id is null
        or _record_id is null
        or not {{ is_md5_hex('_record_id') }}

    union all

    select
        'a record stands twice within {{ by }}' as complaint,
        count(*) as row_count
    from (
        select {{ by }}, _record_id
        from spine
        group by {{ by }}, _record_id
        having count(*) > 1
    ) as doubled
)

select complaint, row_count
from complaints
where row_count > 0
{% endtest %}
