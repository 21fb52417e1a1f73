{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

with entries as (

    select *
    from (
        {{ visible_after(
            ref('int_payments_published_entries'), ref('int_payments_hidden_entries'),
            ref('int_payments_touched_entries'), 'payments.settlements'
        ) }}
    ) as visible
    where _record_key in (select _record_key from {{ ref('int_payments_touched_settlements') }})

)

select *
from (
    {{ entries_with_subjects(
        'entries',
        subjects_after(
            ref('payment_captures'), 'payment_key', 'capture_id in (select source_id from entries)'
        ),
        subjects_after(ref('refunds'), 'subject_key', 'refund_id in (select source_id from entries)'),
        derived_after(
            'marts', ref('disputes'), 'dispute_key', ref('int_payments_touched_disputes'),
            among='dispute_id in (select source_id from entries)'
        ),
        subjects_after(ref('payouts'), 'payout_key', 'payout_id in (select source_id from entries)')
    ) }}
) as entries_of_payouts
