{{ config(schema='next', materialized='table', tags=['published']) }}

select distinct {{ period_start('month', 'sale_date') }} as month_start
from {{ ref('int_retail_touched_days') }}
