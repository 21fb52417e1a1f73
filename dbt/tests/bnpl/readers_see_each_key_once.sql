-- Every published key is visible exactly once. Two counts instead of a list of offenders: over a
-- year this is the widest test there is.
with published as (

    {{ published_rows(ref('fct_bnpl_transactions'), 'bnpl', 'bnpl.transactions') }}

),

published_keys as (

    select count(distinct _record_key) as key_count from published

),

visible as (

    select count(*) as row_count, count(distinct _record_key) as key_count
    from {{ ref('mart_bnpl_transactions') }}

)

select
    published_keys.key_count as published_key_count,
    visible.key_count as visible_key_count,
    visible.row_count as visible_row_count
from published_keys
cross join visible
where visible.row_count <> published_keys.key_count
    or visible.key_count <> published_keys.key_count
