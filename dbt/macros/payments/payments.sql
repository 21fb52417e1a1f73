{#
    What is so of each payment: the fold of its events, whatever order they came in. A query of the
    events with their place, and of the captures, refunds and disputes that were made of them.
#}
{% macro payments_of(history, captures, refunds, disputes) -%}
    with said as (

        select
            payment_key,
            substr(payment_key, length(min(scope)) + 2) as payment_id,
            max(provider) as provider,
            max(account) as account,
            {{ newest('livemode') }} as livemode,
            {{ newest('merchant_reference') }} as merchant_reference,
            coalesce(
                {{ newest('currency', "event_type = 'captured'") }}, {{ newest('currency') }}
            ) as currency,
            max(case when event_type = 'authorized' then amount_minor end) as authorized_minor,
            {{ newest('failure_code', "event_type = 'failed'") }} as failure_code,
            count(distinct case when event_type = 'failed' then coalesce(capture_id, event_id) end)
                as failures,
            coalesce({{ newest(
                'event_type', "event_type in ('pending', 'failed', 'captured', 'capture_failed')"
            ) }}, 'pending') as newest_attempt,
            {%- for each in ('captured', 'canceled', 'authorized') %}
            count(case when event_type = '{{ each }}' then 1 end) > 0 as was_{{ each }},
            {%- endfor %}
            {{ newest('method') }} as method,
            {{ newest('card_brand') }} as card_brand,
            {{ newest('card_last4') }} as card_last4,
            {{ newest('customer_id') }} as customer_id,
            min(occurred_at) as first_at,
            max(occurred_at) as last_at,
            count(*) as events
        from {{ history }} as history
        where payment_key is not null
        group by payment_key

    ),

    captured as (

        select
            payment_key,
            currency,
            {{ minor_sum('case when stands then amount_minor end') }} as captured_minor
        from {{ captures }} as captures
        group by payment_key, currency

    ),

    of_captures as (

        select
            payment_key,
            cast(sum(fee_minor) as bigint) as fee_minor,
            count(case when stands then 1 end) > 0 as stands,
            min(case when stands then first_at end) as captured_at
        from {{ captures }} as captures
        group by payment_key

    ),

    refunded as (

        select payment_key, currency, {{ minor_sum('counted_minor') }} as refunded_minor
        from {{ refunds }} as refunds
        where status = 'succeeded'
        group by payment_key, currency

    ),

    disputed as (

        select
            payment_key,
            currency,
            {{ minor_sum('withdrawn_minor - reinstated_minor') }} as disputed_minor
        from {{ disputes }} as disputes
        group by payment_key, currency

    ),

    folded as (

        select
            said.*,
            coalesce(captured.captured_minor, 0) as captured_minor,
            coalesce(refunded.refunded_minor, 0) as refunded_minor,
            coalesce(disputed.disputed_minor, 0) as disputed_minor,
            of_captures.fee_minor,
            coalesce(of_captures.stands, false) as stands,
            of_captures.captured_at
        from said
        left join captured
            on said.payment_key = captured.payment_key and said.currency = captured.currency
        left join of_captures on said.payment_key = of_captures.payment_key
        left join refunded
            on said.payment_key = refunded.payment_key and said.currency = refunded.currency
        left join disputed
            on said.payment_key = disputed.payment_key and said.currency = disputed.currency

    )

    select
        payment_key,
        payment_id,
        merchant_reference,
        customer_id,
        authorized_minor,
        captured_minor,
        refunded_minor,
        disputed_minor,
        fee_minor,
        currency,
        provider,
        account,
        livemode,
        case
            when stands and refunded_minor = 0 then 'captured'
            when stands and refunded_minor = captured_minor then 'refunded'
            when stands then 'partially_refunded'
            when was_canceled then 'canceled'
            when was_authorized then 'authorized'
            when newest_attempt = 'pending' then 'pending'
            else 'failed'
        end as status,
        method,
        card_brand,
        card_last4,
        failures,
        failure_code,
        was_authorized or was_captured as was_approved,
        events,
        {{ in_utc('first_at') }} as first_at,
        {{ in_utc('last_at') }} as last_at,
        captured_at
    from folded
{%- endmacro %}


{#
    Double-entry lines of what happened: what a posting debits it credits, in its one currency. An
    amount of zero posts nothing, and a negative one swaps the sides. A query of the events with their
    place, and of what was made of them.
#}
{% macro journal_of(history, captures, refunds, disputes, payouts) -%}
    with taken as (

        select
            history.payment_key as subject_key,
            history.capture_id,
            history.event_type,
            history.event_id,
            {{ in_utc('history.occurred_at') }} as occurred_at,
            captures.amount_minor,
            captures.currency,
            captures.provider,
            captures.account,
            captures.livemode,
            row_number() over (
                partition by history.payment_key, history.capture_id, history.event_type
                order by history.place
            ) as nth,
            case
                when history.event_type = 'captured' and captures.stands then captures.lost + 1
                when history.event_type = 'captured' then captures.taken
                else least(captures.lost, captures.taken)
            end as counted
        from {{ history }} as history
        inner join {{ captures }} as captures
            on history.payment_key = captures.payment_key
            and history.capture_id = captures.capture_id
        where history.event_type in ('captured', 'capture_failed')

    ),

    postings as (

        select
            subject_key,
            case event_type when 'captured' then 'capture:' else 'capture_failed:' end
                || {{ nth_of('capture_id', 'nth') }} as posting,
            'clearing' as debited,
            'merchant_payable' as credited,
            case event_type when 'captured' then amount_minor else -amount_minor end as amount_minor,
            currency, event_id, occurred_at, provider, account, livemode
        from taken
        where nth <= counted

        union all

        select
            payment_key,
            'fee:' || capture_id,
            'fees',
            'clearing',
            fee_minor,
            currency, fee_event_id, fee_at, provider, account, livemode
        from {{ captures }} as captures
        where fee_minor is not null

        union all

        select
            subject_key,
            'refund:' || refund_id,
            'merchant_payable',
            'clearing',
            counted_minor,
            currency, refunded_event_id, refunded_at, provider, account, livemode
        from {{ refunds }} as refunds
        where status in ('succeeded', 'undone')

        union all

        select
            subject_key,
            'refund_undone:' || refund_id,
            'merchant_payable',
            'clearing',
            -counted_minor,
            currency, undone_event_id, undone_at, provider, account, livemode
        from {{ refunds }} as refunds
        where status = 'undone'

        union all

        select
            moves.subject_key,
            case moves.event_type when 'funds_withdrawn' then 'withdrawal:' else 'reinstatement:' end
                || {{ nth_of('moves.dispute_id', 'moves.nth') }},
            'disputes',
            'clearing',
            case moves.event_type
                when 'funds_withdrawn' then moves.amount_minor else -moves.amount_minor
            end,
            disputes.currency,
            moves.event_id,
            {{ in_utc('moves.occurred_at') }},
            moves.provider, moves.account, moves.livemode
        from (
            {{ dispute_moves(history) }}
        ) as moves
        inner join {{ disputes }} as disputes
            on moves.subject_key = disputes.subject_key
            and moves.dispute_id = disputes.dispute_id

        union all

        select
            subject_key,
            'dispute_fee:' || dispute_id,
            'fees',
            'clearing',
            fee_minor,
            currency, fee_event_id, fee_at, provider, account, livemode
        from {{ disputes }} as disputes
        where fee_minor is not null

        union all

        select
            payout_key,
            'payout:' || payout_id,
            paid_to,
            'clearing',
            moved_minor,
            currency, sent_event_id, sent_at, provider, account, livemode
        from {{ payouts }} as payouts
        where sent_event_id is not null

        union all

        select
            payout_key,
            'payout_' || own_status || ':' || payout_id,
            paid_to,
            'clearing',
            -moved_minor,
            currency, undone_event_id, undone_at, provider, account, livemode
        from {{ payouts }} as payouts
        where sent_event_id is not null and undone_event_id is not null

    )

    {{ lines_of_postings('postings') }}
{%- endmacro %}


{# Two lines of each posting: what is debited, and what is credited. A query. #}
{% macro lines_of_postings(postings) -%}
    select
        postings.subject_key,
        postings.posting,
        sides.line,
        case
            when (sides.line = 1) = (postings.amount_minor > 0) then postings.debited
            else postings.credited
        end as account_code,
        case sides.line when 1 then abs(postings.amount_minor) else 0 end as debit_minor,
        case sides.line when 2 then abs(postings.amount_minor) else 0 end as credit_minor,
        postings.currency,
        postings.provider,
        postings.account,
        postings.livemode,
        postings.event_id,
        postings.occurred_at
    from {{ postings }} as postings
    cross join (
        select 1 as line

        union all

        select 2
    ) as sides
    where postings.amount_minor <> 0
{%- endmacro %}


{# An object's own id, with which of its postings of a kind this is from the second on. #}
{% macro nth_of(own_id, nth) -%}
    {{ own_id }} || case when {{ nth }} > 1 then '#' || cast({{ nth }} as varchar) else '' end
{%- endmacro %}
