{{ config(schema='next', materialized='table', tags=['published']) }}

{{ touched_keys(source('next', 'fct_bnpl_transactions')) }}
