{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ balance_sheet(served('gold', ref('int_gl_balances'))) }}
