{{ config(schema='marts', materialized='view', tags=['published']) }}

with {{ folded(['captures', 'payouts', 'entries']) }}

select *
from (
    {{ receivables_of(
        'captures', 'payouts', 'entries', 'select max(_book_date) as book_date from history'
    ) }}
) as receivables
