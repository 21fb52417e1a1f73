{{ config(schema='marts', materialized='view', tags=['published']) }}

with {{ folded(['entries']) }}

select * from entries
