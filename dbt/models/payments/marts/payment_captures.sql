{{ config(schema='marts', materialized='view', tags=['published']) }}

with {{ folded(['captures']) }}

select * from captures
