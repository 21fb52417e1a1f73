{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ visible_rows(ref('fct_gl_prices'), ref('int_gl_hidden_prices'), 'gl.prices') }}
