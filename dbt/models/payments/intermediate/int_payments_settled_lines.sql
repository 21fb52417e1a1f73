{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{%- set touched = '(select subject_key from ' ~ ref('int_payments_touched_postings') ~ ')' -%}

with captures as (

    select *
    from {{ subjects_after(ref('payment_captures'), 'payment_key', 'payment_key in ' ~ touched) }} as captures

),

refunds as (

    select *
    from {{ subjects_after(ref('refunds'), 'subject_key', 'subject_key in ' ~ touched) }} as refunds

),

disputes as (

    select *
    from {{ derived_after(
        'marts', ref('disputes'), 'dispute_key', ref('int_payments_touched_disputes'),
        among='subject_key in ' ~ touched
    ) }} as disputes

),

entries as (

    select
        entry_id, subject_key, source_id, about, kind, amount_minor, fee_minor, net_minor, currency,
        provider, provider_type, account, livemode, moved_at
    from {{ payout_entries_after('subject_key in ' ~ touched) }} as entries

)

select *
from (
    {{ settled_journal('captures', 'refunds', 'disputes', 'entries') }}
) as lines
