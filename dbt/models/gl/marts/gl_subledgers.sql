{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ subledgers(
    served('gold', ref('int_gl_balances')), served('gold', ref('int_gl_activity')),
    served('gold', ref('int_gl_open_items'))
) }}
