{{ config(schema='marts', materialized='view', tags=['published']) }}

select
    account_code,
    account_name,
    account_class,
    normal_side,
    statement,
    caption,
    cash_flow
from (
    {{ chart_of_accounts() }}
) as chart
