{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

{%- set touched = '(select payment_key from ' ~ ref('int_payments_touched_receivables') ~ ')' -%}

with captures as (

    select *
    from {{ subjects_after(ref('payment_captures'), 'payment_key', 'payment_key in ' ~ touched) }} as captures

),

charges as (

    select payout_key, subject_key, source_id, kind
    from {{ payout_entries_after("kind = 'charge' and subject_key in " ~ touched) }} as charges

),

entries as (

    select payout_key, subject_key, source_id, kind
    from charges

    union all

    select payout_key, subject_key, source_id, kind
    from {{ payout_entries_after(
        "kind = 'payout_returned' and subject_key in (select payout_key from charges)"
    ) }} as returned

)

select *
from (
    {{ receivables_of(
        'captures', subjects_after(ref('payouts'), 'payout_key'), 'entries', last_event_date()
    ) }}
) as receivables
