{{ config(schema='marts', materialized='view', tags=['published']) }}

with published as (

    {{ served_rows(ref('fct_bnpl_transactions'), 'bnpl.transactions') }}

),

hidden as (

    select _record_id, _book_date from {{ served('gold', ref('int_bnpl_hidden_records')) }}

)

select published.*
from published
where not exists (
    select 1
    from hidden
    where hidden._record_id = published._record_id
        and hidden._book_date = published._book_date
)
