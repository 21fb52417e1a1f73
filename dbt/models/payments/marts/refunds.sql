{{ config(schema='marts', materialized='view', tags=['published']) }}

with {{ folded(['refunds']) }}

select * from refunds
