{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ income_statement(served('gold', ref('int_gl_balances'))) }}
