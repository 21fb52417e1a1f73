{{ config(schema='next', materialized='table', tags=['published']) }}

select distinct tickets.booth
from {{ ref('fct_toy_tickets') }} as tickets
inner join {{ ref('int_toy_touched_keys') }} as touched
    on tickets._record_key = touched._record_key
