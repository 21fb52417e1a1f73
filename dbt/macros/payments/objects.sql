{#
    What is so of captures, refunds and payouts, as queries of the events with their place
    (`events_of_payments`).

    Facts are known by the object that they are about: the same fact said by two event ids is one.
    Only Adyen reports one capture several times and means another fact each time.
#}

{# A capture stands when it was captured more often than it failed afterwards. #}
{% macro captures_of(history) -%}
    with said as (

        select
            payment_key,
            capture_id,
            max(provider) as provider,
            max(account) as account,
            {{ newest('livemode') }} as livemode,
            coalesce({{ newest('amount_minor', "event_type = 'captured'") }}, 0) as amount_minor,
            coalesce({{ newest('currency', "event_type = 'captured'") }}, 'XXX') as currency,
            {{ newest('fee_minor', "event_type = 'captured'") }} as fee_minor,
            {{ newest('event_id', "event_type = 'captured' and fee_minor is not null") }}
                as fee_event_id,
            {{ newest('occurred_at', "event_type = 'captured' and fee_minor is not null") }}
                as fee_at,
            min(case when event_type = 'captured' then occurred_at end) as first_at,
            count(case when event_type = 'captured' then 1 end) as captured,
            count(case when event_type = 'capture_failed' then 1 end) as failed
        from {{ history }} as history
        where payment_key is not null
            and capture_id is not null
            and event_type in ('captured', 'capture_failed')
        group by payment_key, capture_id

    ),

    counted as (

        select
            said.*,
            case when provider = 'adyen' then captured else 1 end as taken,
            case when provider = 'adyen' then failed else least(failed, 1) end as lost
        from said
        where captured > 0

    )

    select
        payment_key,
        capture_id,
        amount_minor,
        currency,
        fee_minor,
        provider,
        account,
        livemode,
        taken > lost as stands,
        taken,
        lost,
        {{ in_utc('first_at') }} as first_at,
        fee_event_id,
        {{ in_utc('fee_at') }} as fee_at
    from counted
{%- endmacro %}


{#
    Refunds count up to what is captured, in the order in which they were first heard of: providers
    also report the part of an authorization that was never captured as refunded.
#}
{% macro refunds_of(history, captures) -%}
    with said as (

        select
            scope || ':' || refund_id as refund_key,
            payment_key,
            refund_id,
            max(provider) as provider,
            max(account) as account,
            {{ newest('livemode') }} as livemode,
            coalesce({{ newest('amount_minor') }}, 0) as amount_minor,
            coalesce({{ newest('currency') }}, 'XXX') as currency,
            {{ newest('failure_code') }} as failure_code,
            {{ oldest('event_id', "event_type = 'refunded'") }} as refunded_event_id,
            {{ oldest('occurred_at', "event_type = 'refunded'") }} as refunded_at,
            {{ oldest('event_id', "event_type = 'refund_undone'") }} as undone_event_id,
            {{ oldest('occurred_at', "event_type = 'refund_undone'") }} as undone_at,
            min(occurred_at) as first_at,
            max(occurred_at) as last_at,
            min(place) as place,
            min(subject_key) as subject_key
        from {{ history }} as history
        where refund_id is not null
        group by scope, subject_key, payment_key, refund_id

    ),

    standing as (

        select payment_key, currency, sum(amount_minor) as amount_minor
        from {{ captures }} as captures
        where stands
        group by payment_key, currency

    ),

    before as (

        select
            said.*,
            coalesce(standing.amount_minor, 0) as captured_minor,
            coalesce(sum(
                case
                    when refunded_event_id is not null and undone_event_id is null
                        then said.amount_minor
                end
            ) over (
                partition by said.subject_key, said.currency
                order by said.place
                rows between unbounded preceding and 1 preceding
            ), 0) as refunded_before
        from said
        left join standing
            on said.payment_key = standing.payment_key
            and said.currency = standing.currency

    )

    select
        refund_key,
        payment_key,
        refund_id,
        amount_minor,
        cast(
            case
                when refunded_event_id is null then 0
                when payment_key is null then amount_minor
                else least(amount_minor, greatest(0, captured_minor - refunded_before))
            end as bigint
        ) as counted_minor,
        currency,
        provider,
        account,
        livemode,
        case
            when undone_event_id is not null and refunded_event_id is not null then 'undone'
            when undone_event_id is not null then 'failed'
            when refunded_event_id is not null then 'succeeded'
            else 'pending'
        end as status,
        failure_code,
        {{ in_utc('first_at') }} as first_at,
        {{ in_utc('last_at') }} as last_at,
        subject_key,
        refunded_event_id,
        {{ in_utc('refunded_at') }} as refunded_at,
        undone_event_id,
        {{ in_utc('undone_at') }} as undone_at
    from before
{%- endmacro %}


{#
    The newest version of a payout says its status, and there that which nothing follows. One that
    another payout takes back is reversed.
#}
{% macro payouts_of(history) -%}
    with statuses as (

        select
            history.*,
            case event_type
                when 'payout_sent' then 1
                when 'payout_paid' then 2
                when 'payout_canceled' then 3
                when 'payout_failed' then 4
                when 'payout_reversed' then 5
            end as status_rank,
            max(coalesce(object_version, 0)) over (partition by subject_key) as newest_version
        from {{ history }} as history
        where is_of_payout

    ),

    said as (

        select
            subject_key as payout_key,
            min(scope) as scope,
            min(payout_id) as payout_id,
            max(provider) as provider,
            max(account) as account,
            {{ newest('livemode') }} as livemode,
            max(case when coalesce(object_version, 0) = newest_version then status_rank end)
                as status_rank,
            coalesce({{ newest('amount_minor') }}, 0) as amount_minor,
            coalesce({{ newest('currency') }}, 'XXX') as currency,
            {{ newest('failure_code') }} as failure_code,
            {{ newest('is_reversal_of') }} as is_reversal_of,
            max(case when {{ pays_third_party() }} then 1 else 0 end) = 1 as is_to_third_party,
            coalesce(
                {{ oldest('event_id', 'status_rank = 1') }}, {{ oldest('event_id', 'status_rank = 2') }}
            ) as sent_event_id,
            coalesce(
                {{ oldest('occurred_at', 'status_rank = 1') }},
                {{ oldest('occurred_at', 'status_rank = 2') }}
            ) as sent_at,
            {%- for rank in (3, 4, 5) %}
            {{ oldest('event_id', 'status_rank = ' ~ rank) }} as undone_event_id_{{ rank }},
            {{ oldest('occurred_at', 'status_rank = ' ~ rank) }} as undone_at_{{ rank }},
            {%- endfor %}
            min(occurred_at) as first_at,
            max(occurred_at) as last_at
        from statuses
        group by subject_key

    ),

    taken_back as (

        select distinct scope, is_reversal_of as payout_id
        from said
        where is_reversal_of is not null and status_rank < 3

    )

    select
        said.payout_key,
        said.payout_id,
        said.is_reversal_of,
        said.amount_minor,
        said.currency,
        said.provider,
        said.account,
        said.livemode,
        case
            when taken_back.payout_id is not null then 'reversed'
            else {{ payout_status('said.status_rank') }}
        end as status,
        said.failure_code,
        {{ in_utc('said.first_at') }} as first_at,
        {{ in_utc('said.last_at') }} as last_at,
        {{ payout_status('said.status_rank') }} as own_status,
        case
            when said.is_reversal_of is not null then -abs(said.amount_minor)
            else said.amount_minor
        end as moved_minor,
        case when said.is_to_third_party then 'third_party_payouts' else 'bank' end as paid_to,
        said.sent_event_id,
        {{ in_utc('said.sent_at') }} as sent_at,
        case said.status_rank
            {%- for rank in (3, 4, 5) %}
            when {{ rank }} then said.undone_event_id_{{ rank }}
            {%- endfor %}
        end as undone_event_id,
        case said.status_rank
            {%- for rank in (3, 4, 5) %}
            when {{ rank }} then {{ in_utc('said.undone_at_' ~ rank) }}
            {%- endfor %}
        end as undone_at
    from said
    left join taken_back
        on said.scope = taken_back.scope
        and said.payout_id = taken_back.payout_id
{%- endmacro %}


{# Whether a payout goes to others than the merchant: all that PayPal tells of, some of Adyen's. #}
{% macro pays_third_party() -%}
    provider = 'paypal'
    or (
        provider = 'adyen'
        and provider_type in (
            'PAYOUT_THIRDPARTY', 'PAYOUT_DECLINE', 'PAYOUT_EXPIRE', 'PAIDOUT_REVERSED'
        )
    )
{%- endmacro %}


{% macro payout_status(rank) -%}
    case {{ rank }}
        when 1 then 'sent' when 2 then 'paid' when 3 then 'canceled' when 4 then 'failed'
        when 5 then 'reversed'
    end
{%- endmacro %}
