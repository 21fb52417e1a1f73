{{ config(schema='next', materialized='touched', tags=['published']) }}

-- The lines that readers see of the touched periods.
with visible as (

    {{ visible_after(
        ref('int_gl_published'), ref('int_gl_hidden_records'), ref('int_gl_touched_keys'), 'gl.lines'
    ) }}

)

select *
from visible
where {{ is_touched('fiscal_period', ref('int_gl_touched_periods')) }}
