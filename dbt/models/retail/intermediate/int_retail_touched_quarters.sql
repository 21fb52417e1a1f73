{{ config(schema='next', materialized='table', tags=['published']) }}

select distinct {{ period_start('quarter', 'sale_date') }} as quarter_start
from {{ ref('int_retail_touched_days') }}
