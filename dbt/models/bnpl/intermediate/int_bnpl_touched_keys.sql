{{ config(schema='next', materialized='touched', tags=['published']) }}

{{ touched_keys(ref('fct_bnpl_transactions')) }}
