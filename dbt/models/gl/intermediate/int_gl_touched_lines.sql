{{ config(schema='next', materialized='table', tags=['published']) }}

-- The lines that readers see of the touched periods.
with visible as (

    {{ visible_after(
        ref('int_gl_published'), ref('int_gl_hidden_records'), ref('int_gl_touched_keys'), 'gl.lines'
    ) }}

)

select *
from visible
where fiscal_period in (select fiscal_period from {{ ref('int_gl_touched_periods') }})
