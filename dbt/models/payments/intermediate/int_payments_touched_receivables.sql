{{ config(schema='next', materialized='table', tags=['published']) }}

{%- set touched = '(select payout_key from ' ~ ref('int_payments_touched_payouts') ~ ')' %}

-- Payouts that settle what they hold otherwise: a returned payout's money comes with another one.
with settling as (

    select payout_key
    from {{ ref('int_payments_touched_payouts') }}

    union

    select subject_key
    from {{ payout_entries_before_or_after("kind = 'payout_returned' and payout_key in " ~ touched) }}
        as returned

),

-- The last day that readers saw, and will see: between the two, money becomes overdue.
days as (

    select
        least(before.book_date, after.book_date) as earlier,
        greatest(before.book_date, after.book_date) as later
    from (
        select max(_book_date) as book_date
        from {{ served('marts', ref('payment_history')) }} as served
    ) as before
    cross join (
        {{ last_event_date() }}
    ) as after

)

select subject_key as payment_key
from {{ ref('int_payments_touched_subjects') }}

union

select subject_key
from {{ payout_entries_before_or_after(
    "kind = 'charge' and payout_key in (select payout_key from settling)"
) }} as charges
where subject_key is not null

union

select captures.payment_key
from {{ served('marts', ref('payment_captures')) }} as captures
inner join days
    on captures.first_at >= {{ plus_days('days.earlier', '-' ~ days_until_due()) }}
    and captures.first_at < {{ plus_days('days.later', '-' ~ days_until_due()) }}
