{{ config(schema='next', materialized='touched', tags=['published']) }}

{{ touched_keys(ref('fct_gl_prices')) }}
