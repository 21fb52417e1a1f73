{{ config(schema='next', materialized='table', tags=['published']) }}

{{ touched_entities(
    'fiscal_period', ref('int_gl_published'), ref('int_gl_touched_keys'), 'gl.lines'
) }}
