{{ config(schema='next', materialized='table', tags=['published']) }}

-- Entries that the publication brings or takes, and those of objects that may be of another subject now.
with objects as (
    {%- for model, key, about, id in (
        ('payment_captures', 'payment_key', 'capture', 'capture_id'),
        ('refunds', 'subject_key', 'refund', 'refund_id'),
        ('disputes', 'dispute_key', 'dispute', 'dispute_id'),
        ('payouts', 'payout_key', 'payout', 'payout_id'),
    ) %}
    {%- set touched = 'int_payments_touched_disputes' if about == 'dispute' else 'int_payments_touched_subjects' %}

    select {{ payment_scope() }} as scope, '{{ about }}' as about, {{ id }} as id
    from {{ served('marts', ref(model)) }} as served
    where {{ key }} in (
        select {{ 'dispute_key' if about == 'dispute' else 'subject_key' }} from {{ ref(touched) }}
    )

    union

    select {{ payment_scope() }}, '{{ about }}', {{ id }}
    from {{ ref(model) }} as delta
    {{ 'union' if not loop.last }}
    {%- endfor %}

),

entries as (

    select
        _record_key,
        source_id,
        {{ payment_scope() }} as scope,
        {{ object_of_entry('kind') }} as about
    from {{ published_after(ref('int_payments_published_entries'), 'payments.settlements') }} as entries

)

select _record_key
from {{ ref('int_payments_touched_entries') }}

union

select entries._record_key
from entries
inner join objects
    on entries.scope = objects.scope
    and entries.about = objects.about
    and entries.source_id = objects.id
