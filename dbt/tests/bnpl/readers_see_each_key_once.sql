-- Of every touched key that is published, exactly one row is not hidden.
with published as (

    select count(*) as row_count, count(distinct _record_key) as key_count
    from {{ published_after(ref('int_bnpl_published'), 'bnpl.transactions') }} as published
    where _record_key in (select _record_key from {{ ref('int_bnpl_touched_keys') }})

),

hidden as (

    select count(*) as row_count from {{ ref('int_bnpl_hidden_records') }}

)

select
    published.row_count as published_row_count,
    published.key_count as published_key_count,
    hidden.row_count as hidden_row_count
from published
cross join hidden
where published.row_count - hidden.row_count <> published.key_count
