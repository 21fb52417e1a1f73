{{ config(schema='marts', materialized='view', tags=['published']) }}

with {{ folded(['payments']) }}

select * from payments
