{{ config(schema='next', materialized='table', tags=['published']) }}

-- A week's trend compares it with the week before, so that the week after a touched one changes too.
with weeks as (

    select distinct {{ period_start('week', 'sale_date') }} as week_start
    from {{ ref('int_retail_touched_days') }}

)

select week_start from weeks

union

select {{ plus_days('week_start', 7) }} as week_start from weeks
