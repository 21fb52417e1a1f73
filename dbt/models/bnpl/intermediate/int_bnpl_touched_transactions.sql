{{ config(schema='next', materialized='table', tags=['published']) }}

with visible as (

    {{ visible_after(
        ref('int_bnpl_published'), ref('int_bnpl_hidden_records'), ref('int_bnpl_touched_keys'),
        'bnpl.transactions'
    ) }}

)

select *
from visible
where customer_id in (select customer_id from {{ ref('int_bnpl_touched_customers') }})
