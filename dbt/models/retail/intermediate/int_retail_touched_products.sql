{{ config(schema='next', materialized='table', tags=['published']) }}

select distinct product_key
from {{ ref('int_retail_touched_combinations') }}
