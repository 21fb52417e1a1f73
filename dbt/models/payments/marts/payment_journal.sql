{{ config(schema='marts', materialized='view', tags=['published']) }}

with {{ folded(['history', 'captures', 'refunds', 'payouts', 'entries']) }}

select *
from (
    {{ journal_of('history', 'captures', 'refunds', 'payouts') }}
) as of_events

union all

select *
from (
    {{ settled_journal('captures', 'entries') }}
) as of_settlements
