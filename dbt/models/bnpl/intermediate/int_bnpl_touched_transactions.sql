{{ config(schema='next', materialized='touched', tags=['published']) }}

with visible as (

    {{ visible_after(
        ref('int_bnpl_published'), ref('int_bnpl_hidden_records'), ref('int_bnpl_touched_keys'),
        'bnpl.transactions'
    ) }}

)

select *
from visible
where {{ is_touched('customer_id', ref('int_bnpl_touched_customers')) }}
