{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ visible_rows(ref('fct_gl_lines'), ref('int_gl_hidden_records'), 'gl.lines') }}
