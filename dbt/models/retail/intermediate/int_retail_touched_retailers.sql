{{ config(schema='next', materialized='table', tags=['published']) }}

select distinct retailer
from {{ ref('int_retail_touched_combinations') }}
