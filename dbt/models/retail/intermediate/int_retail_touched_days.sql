{{ config(schema='next', materialized='table', tags=['published']) }}

select distinct sale_date
from {{ ref('int_retail_touched_combinations') }}
