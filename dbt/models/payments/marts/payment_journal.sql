{{ config(schema='marts', materialized='view', tags=['published']) }}

select *
from (
    {{ journal_of(
        ref('payment_history'), ref('payment_captures'), ref('refunds'), ref('payouts')
    ) }}
) as of_events

union all

select *
from (
    {{ settled_journal(ref('payment_captures'), ref('payout_entries')) }}
) as of_settlements
