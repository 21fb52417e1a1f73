{{ config(schema='marts', materialized='view', tags=['published']) }}

with {{ folded(['payouts']) }}

select * from payouts
