{#
    What a publication touches of payments: groups of events that are connected by references, and
    what was made of them.
#}

{#
    The references of events, as `connected_keys` searches them. Of every event: its payment, the id
    that it links this to, and its dispute, which it also asks for. Of one that names no payment: all
    by which its payment is found (see `events_of_payments`), and which stand for it where none is. Of
    a payout: itself, and the one that it takes back. A refund or the merchant's reference is a
    reference of every event, and only those without a payment ask for it.

    All are of one kind, as subjects of different kinds may have one id; and hashed, since two
    references with one hash do no more than touch each other's events.
#}
{% macro references_of_events(events) -%}
    {%- set without_payment = '(payment_id is null and not is_of_payout)' -%}
    {%- set references = [
        ('payment_id', 'true'),
        ('linked_id', 'true'),
        ('dispute_id', 'true'),
        ('refund_id', without_payment),
        ('merchant_reference', without_payment),
        ('payout_id', 'is_of_payout'),
        ('is_reversal_of', 'is_of_payout'),
        ('event_id', without_payment),
    ] -%}
    with scoped as (

        select
            {{ payment_scope() }} as scope,
            event_type like 'payout%' as is_of_payout,
            {% for column, _ in references %}{{ column }}, {% endfor %}
            _record_key
        from {{ events }} as events

    ),

    named as (
        {%- for column, asks in references %}

        select {{ hashed_key("scope || ':' || " ~ column) }} as reference, {{ asks }} as asks, _record_key
        from scoped
        where {{ column }} is not null
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    )

    select distinct reference, false as is_asking, _record_key
    from named

    union all

    select distinct reference, true as is_asking, _record_key
    from named
    where asks
{%- endmacro %}


{# The events of some record keys that readers see after the publication being made. A query. #}
{% macro visible_events(keys) -%}
    select *
    from (
        {{ visible_after(
            ref('int_payments_published'), ref('int_payments_hidden_records'),
            ref('int_payments_touched_keys'), 'payments.events'
        ) }}
    ) as visible
    where _record_key in (select _record_key from {{ keys }})
{%- endmacro %}


{#
    Rows of a table that is made of events, after the publication being made. See `derived_after`.

    key: of the payment, payout or other subject.
#}
{% macro subjects_after(delta, key, among='true') -%}
    {{ derived_after(
        'marts', delta, key, ref('int_payments_touched_subjects'), 'subject_key', among
    ) }}
{%- endmacro %}


{# The entries of payouts after the publication being made. See `derived_after`. #}
{% macro payout_entries_after(among='true') -%}
    {{ derived_after(
        'marts', ref('payout_entries'), '_record_key', ref('int_payments_touched_settlements'),
        among=among
    ) }}
{%- endmacro %}


{#
    Entries of payouts for which a condition on them held before the publication being made, or holds
    after it. A relation, to be used behind FROM.
#}
{% macro payout_entries_before_or_after(condition) -%}
    (
        select *
        from {{ served('marts', ref('payout_entries')) }} as served
        where {{ condition }}

        union all

        select *
        from {{ ref('payout_entries') }} as delta
        where {{ condition }}
    )
{%- endmacro %}


{#
    A column of the entries that the publication being made touches, as they were and as they will be:
    a query of its values without null.
#}
{% macro of_touched_entries(column) -%}
    {%- set touched = ref('int_payments_touched_settlements') -%}
    select distinct {{ column }}
    from {{ payout_entries_before_or_after(
        column ~ ' is not null and _record_key in (select _record_key from ' ~ touched ~ ')'
    ) }} as entries
{%- endmacro %}


{# The last book date of an event that readers see after the publication being made. A query. #}
{% macro last_event_date() -%}
    select max(book_date) as book_date
    from (
        select max(_book_date) as book_date
        from {{ ref('payment_history') }}

        union all

        (
            select _book_date
            from {{ served('marts', ref('payment_history')) }} as served
            where not exists (
                select 1 from {{ ref('int_payments_touched_events') }} as touched
                where touched._record_key = served._record_key
            )
            order by _book_date desc
            limit 1
        )
    ) as both_kinds
{%- endmacro %}
