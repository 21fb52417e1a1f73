{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ trial_balance(served('gold', ref('int_gl_balances'))) }}
