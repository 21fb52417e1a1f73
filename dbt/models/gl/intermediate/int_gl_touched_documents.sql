{{ config(schema='next', materialized='table', tags=['published']) }}

select document
from (
    {{ touched_entities(
        'document', ref('int_gl_published'), ref('int_gl_touched_keys'), 'gl.lines'
    ) }}
) as touched
where document is not null
