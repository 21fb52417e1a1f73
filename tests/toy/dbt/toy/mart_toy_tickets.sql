{{ config(schema='marts', materialized='view', tags=['published']) }}

with published as (

    {{ served_rows(ref('fct_toy_tickets'), 'toy.tickets') }}

)

select published.*
from published
where not exists (
    select 1
    from {{ served('gold', ref('int_toy_hidden_tickets')) }} as hidden
    where hidden._record_id = published._record_id
        and hidden._book_date = published._book_date
)
