{#
    Entries of payouts with what they are of: a query of the entries' columns, and

    payout_key: of the payout that settles them.
    about: capture, refund, dispute or payout: the object that they name; null of another one.
        account: of the account itself: a fee that names none which events tell of, conversions in
        its balance, and transfers between that and the bank.
    subject_key: the payment (else the refund, dispute or payout) of that object; of what is of the
        account the payout that settles it; null where no event tells of the object, and then nothing
        explains the entry.
#}
{% macro entries_with_subjects(entries, captures, refunds, disputes, payouts) -%}
    with objects as (

        select {{ payment_scope() }} as scope, 'capture' as about, capture_id as id,
            payment_key as subject_key
        from {{ captures }} as captures

        union all

        select {{ payment_scope() }}, 'refund', refund_id, coalesce(payment_key, refund_key)
        from {{ refunds }} as refunds

        union all

        select {{ payment_scope() }}, 'dispute', dispute_id, coalesce(payment_key, dispute_key)
        from {{ disputes }} as disputes

        union all

        select {{ payment_scope() }}, 'payout', payout_id, payout_key
        from {{ payouts }} as payouts

    ),

    known as (

        select scope, about, id, min(subject_key) as subject_key
        from objects
        group by scope, about, id

    ),

    scoped as (

        select
            entries.*,
            {{ payment_scope() }} as scope
        from {{ entries }} as entries

    )

    select
        scoped.*,
        case
            when {{ is_of_account() }} then 'account'
            else {{ object_of_entry('scoped.kind') }}
        end as about,
        scoped.scope || ':' || scoped.payout_id as payout_key,
        case
            when {{ is_of_account() }} then scoped.scope || ':' || scoped.payout_id
            else known.subject_key
        end as subject_key
    from scoped
    left join known
        on scoped.scope = known.scope
        and {{ object_of_entry('scoped.kind') }} = known.about
        and scoped.source_id = known.id
{%- endmacro %}


{# Whether an entry is of the account itself, of `scoped` entries with their `known` objects. #}
{% macro is_of_account() -%}
    (scoped.kind = 'fee' and known.subject_key is null) or scoped.kind in ('conversion', 'transfer')
{%- endmacro %}


{# What an entry of a kind is of: capture, refund, dispute or payout; null of another kind. #}
{% macro object_of_entry(kind) -%}
    case
        when {{ kind }} in ('charge', 'capture_failed', 'fee') then 'capture'
        when {{ kind }} in ('refund', 'refund_undone') then 'refund'
        when {{ kind }} in ('dispute', 'dispute_reversed') then 'dispute'
        when {{ kind }} in ('payout', 'payout_returned') then 'payout'
    end
{%- endmacro %}


{#
    What explains each payout, a row a kind of explanation. The rows of a payout sum to its amount:
    what nothing explains is a row of its own.
#}
{% macro tie_out_of(payouts, entries) -%}
    with itemized as (

        select *
        from {{ entries }} as entries
        where kind not in ('payout', 'transfer')

    ),

    explained as (

        select
            payout_key,
            case
                when subject_key is null then 'unexplained_entries'
                when kind = 'fee' then 'fees'
                when about = 'capture' then 'captures'
                when about = 'refund' then 'refunds'
                when about = 'dispute' then 'disputes'
                else 'returned_payouts'
            end as line,
            count(*) as entries,
            {{ minor_sum('case when subject_key is null or kind = \'fee\' then net_minor else amount_minor end') }}
                as amount_minor
        from itemized
        group by 1, 2

        union all

        select
            payout_key,
            'fees',
            count(*),
            -{{ minor_sum('fee_minor') }}
        from itemized
        where subject_key is not null and kind <> 'fee' and fee_minor <> 0
        group by payout_key

        union all

        select payout_key, 'takes_back_a_payout', 0, moved_minor
        from {{ payouts }} as payouts
        where is_reversal_of is not null

    ),

    summed as (

        select
            payout_key,
            line,
            cast(sum(entries) as bigint) as entries,
            {{ minor_sum('amount_minor') }} as amount_minor
        from explained
        group by payout_key, line

    ),

    lines as (

        select payout_key, line, entries, amount_minor
        from summed

        union all

        select
            payouts.payout_key,
            case when count(summed.line) = 0 then 'not_itemized' else 'remainder' end,
            0,
            cast(min(payouts.moved_minor) - coalesce(sum(summed.amount_minor), 0) as bigint)
        from {{ payouts }} as payouts
        left join summed on payouts.payout_key = summed.payout_key
        group by payouts.payout_key
        having min(payouts.moved_minor) <> coalesce(sum(summed.amount_minor), 0)

    )

    select
        payouts.payout_key,
        payouts.payout_id,
        lines.line,
        lines.entries,
        lines.amount_minor,
        payouts.moved_minor as payout_minor,
        payouts.currency,
        payouts.provider,
        payouts.account,
        payouts.livemode,
        payouts.status as payout_status,
        payouts.sent_at,
        lines.line not in ('unexplained_entries', 'not_itemized', 'remainder') as is_explained
    from {{ payouts }} as payouts
    inner join lines on payouts.payout_key = lines.payout_key
{%- endmacro %}


{# After how many days captured money is due: weekly payouts, and the days that banks take. #}
{% macro days_until_due() -%} 10 {%- endmacro %}


{#
    Captured money as a receivable from the provider: due some days after it was captured, and settled
    by a payout that stands, or by a later one that brings the money of one that failed.
#}
{% macro receivables_of(captures, payouts, entries, as_of) -%}
    with standing as (

        select payout_key, payout_id, sent_at
        from {{ payouts }} as payouts
        where status in ('sent', 'paid')

    ),

    settling as (

        select entries.payout_key as of_payout, standing.payout_key, standing.sent_at
        from (select distinct payout_key from {{ entries }} as all_entries) as entries
        inner join standing on entries.payout_key = standing.payout_key

        union all

        select entries.subject_key, standing.payout_key, standing.sent_at
        from {{ entries }} as entries
        inner join standing on entries.payout_key = standing.payout_key
        where entries.kind = 'payout_returned' and entries.subject_key is not null

    ),

    settled as (

        select
            entries.subject_key as payment_key,
            entries.source_id as capture_id,
            min(settling.payout_key) as payout_key,
            min(settling.sent_at) as settled_at
        from {{ entries }} as entries
        inner join settling on entries.payout_key = settling.of_payout
        where entries.kind = 'charge' and entries.subject_key is not null
        group by entries.subject_key, entries.source_id

    )

    select
        captures.payment_key,
        captures.capture_id,
        captures.amount_minor,
        captures.currency,
        captures.provider,
        captures.account,
        captures.livemode,
        case
            when settled.payout_key is not null then 'settled'
            when captures.provider = 'paypal' then 'in_balance'
            when {{ plus_days('captures.first_at', days_until_due()) }} < as_of.book_date then 'overdue'
            else 'open'
        end as status,
        cast(captures.first_at as date) as captured_on,
        {{ plus_days('captures.first_at', days_until_due()) }} as due_on,
        settled.payout_key,
        settled.settled_at
    from {{ captures }} as captures
    cross join (
        {{ as_of }}
    ) as as_of
    left join settled
        on captures.payment_key = settled.payment_key
        and captures.capture_id = settled.capture_id
    where captures.stands
{%- endmacro %}
