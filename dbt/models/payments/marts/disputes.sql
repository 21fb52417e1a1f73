{{ config(schema='marts', materialized='view', tags=['published']) }}

with {{ folded(['disputes']) }}

select * from disputes
