{{ config(schema='next', materialized='touched', tags=['published']) }}

-- The lines that readers see of the touched days.
with visible as (

    {{ visible_after(
        ref('int_retail_published'), ref('int_retail_hidden_records'),
        ref('int_retail_touched_keys'), 'retail.sales'
    ) }}

)

select *
from visible
where {{ is_touched('sale_date', ref('int_retail_touched_days')) }}
