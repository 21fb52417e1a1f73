-- Of every touched key that is published, exactly one row is not hidden.
with published as (

    {{ published_rows(ref('fct_bnpl_transactions'), 'bnpl.transactions') }}

),

published_keys as (

    select count(*) as row_count, count(distinct published._record_key) as key_count
    from published
    inner join {{ ref('int_bnpl_touched_keys') }} as touched
        on published._record_key = touched._record_key

),

hidden as (

    select count(*) as row_count from {{ ref('int_bnpl_hidden_records') }}

)

select
    published_keys.row_count as published_row_count,
    published_keys.key_count as published_key_count,
    hidden.row_count as hidden_row_count
from published_keys
cross join hidden
where published_keys.row_count - hidden.row_count <> published_keys.key_count
