{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ cash_flow(served('gold', ref('int_gl_balances'))) }}
