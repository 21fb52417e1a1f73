{#
    Of every touched key that is published, exactly one row is not hidden.

    model: the records that the publication being made hides. published: the rows that it brings.
    touched: the keys that it touches.
#}
{% test readers_see_each_key_once(model, dataset, published, touched) %}
with published as (

    -- Counted by key first: a count of distinct texts would put them all in order.
    select coalesce(sum(row_count), 0) as row_count, count(*) as key_count
    from (
        select count(*) as row_count
        from {{ published_after(published, dataset) }} as published
        where {{ is_touched('_record_key', touched) }}
        group by _record_key
    ) as keys

),

hidden as (

    select count(*) as row_count from {{ model }}

)

select
    published.row_count as published_row_count,
    published.key_count as published_key_count,
    hidden.row_count as hidden_row_count
from published
cross join hidden
where published.row_count - hidden.row_count <> published.key_count
{% endtest %}
