{{ config(schema='marts', materialized='view', tags=['published']) }}

with {{ folded(['payouts', 'entries']) }}

select *
from (
    {{ tie_out_of('payouts', 'entries') }}
) as tied
