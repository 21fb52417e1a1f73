{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{{ hidden_records(ref('int_gl_published'), ref('int_gl_touched_keys'), 'gl.lines') }}
