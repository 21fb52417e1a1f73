{{ config(schema='next', materialized='table', tags=['published']) }}

select distinct customer_key
from {{ ref('int_retail_touched_combinations') }}
