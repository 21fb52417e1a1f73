{{ config(schema='next', materialized='table', tags=['published']) }}

-- A customer is touched by any version of a touched record, also by one that readers no longer see.
select distinct purchases.customer_id
from {{ ref('fct_bnpl_transactions') }} as purchases
inner join {{ ref('int_bnpl_touched_keys') }} as touched
    on purchases._record_key = touched._record_key
