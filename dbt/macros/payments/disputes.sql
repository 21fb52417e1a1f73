{# What is so of disputes, as queries of the events with their place (`events_of_payments`). #}

{#
    How disputed money moved: a row a withdrawal or reinstatement that is a fact of its own. A dispute
    has one of each. Adyen withdraws a second time by another name; a name that comes again, with
    another reason or date, is the same withdrawal. No more is given back than was taken.
#}
{% macro dispute_moves(history) -%}
    with moved as (

        select
            subject_key,
            dispute_id,
            event_type,
            place,
            event_id,
            occurred_at,
            provider,
            account,
            livemode,
            coalesce(amount_minor, 0) as amount_minor,
            case
                when provider <> 'adyen' then ''
                when event_type = 'funds_withdrawn' then provider_type
                else event_id
            end as fact,
            amount_minor is null as is_unknown
        from {{ history }} as history
        where dispute_id is not null
            and event_type in ('funds_withdrawn', 'funds_reinstated')

    ),

    repeated as (

        select
            moved.*,
            first_value(amount_minor) over (
                partition by subject_key, dispute_id, event_type, fact
                order by case when is_unknown then 1 else 0 end, place desc
            ) as newest_minor,
            row_number() over (
                partition by subject_key, dispute_id, event_type, fact order by place
            ) as repetition
        from moved

    ),

    facts as (

        select
            repeated.*,
            row_number() over (
                partition by subject_key, dispute_id, event_type order by place
            ) as nth,
            count(case when event_type = 'funds_withdrawn' then 1 end) over (
                partition by subject_key, dispute_id
            ) as withdrawals
        from repeated
        where repetition = 1

    )

    select
        subject_key,
        dispute_id,
        event_type,
        nth,
        newest_minor as amount_minor,
        event_id,
        occurred_at,
        provider,
        account,
        livemode
    from facts
    where event_type = 'funds_withdrawn' or nth <= greatest(withdrawals, 1)
{%- endmacro %}


{#
    Whether an event says how its dispute ended: money that is given back can end it in the same event,
    but at Adyen, where a second chargeback can follow.
#}
{% macro ends_dispute() -%}
    (
        event_type = 'dispute_closed'
        or (
            event_type = 'funds_reinstated'
            and provider <> 'adyen'
            and status in ('won', 'lost', 'closed')
        )
    )
{%- endmacro %}


{# What is disputed is said by events that move no money, where there are any: these may move a part. #}
{% macro disputes_of(history) -%}
    with said as (

        select
            scope || ':' || dispute_id as dispute_key,
            payment_key,
            subject_key,
            dispute_id,
            max(provider) as provider,
            max(account) as account,
            {{ newest('livemode') }} as livemode,
            coalesce(
                {{ newest('amount_minor', "event_type not in ('funds_withdrawn', 'funds_reinstated')") }},
                {{ newest('amount_minor', "event_type = 'funds_withdrawn'") }},
                {{ newest('amount_minor') }},
                0
            ) as amount_minor,
            coalesce({{ newest('currency') }}, 'XXX') as currency,
            coalesce({{ newest('status', ends_dispute()) }}, 'open') as status,
            {{ newest('fee_minor', "event_type = 'funds_withdrawn'") }} as fee_minor,
            {{ newest('event_id', "event_type = 'funds_withdrawn' and fee_minor is not null") }}
                as fee_event_id,
            {{ newest('occurred_at', "event_type = 'funds_withdrawn' and fee_minor is not null") }}
                as fee_at,
            min(occurred_at) as first_at,
            max(occurred_at) as last_at
        from {{ history }} as history
        where dispute_id is not null
        group by scope, payment_key, subject_key, dispute_id

    ),

    moved as (

        select
            subject_key,
            dispute_id,
            {{ minor_sum("case when event_type = 'funds_withdrawn' then amount_minor end") }}
                as withdrawn_minor,
            {{ minor_sum("case when event_type = 'funds_reinstated' then amount_minor end") }}
                as reinstated_minor
        from (
            {{ dispute_moves(history) }}
        ) as moves
        group by subject_key, dispute_id

    )

    select
        said.dispute_key,
        said.payment_key,
        said.dispute_id,
        said.amount_minor,
        coalesce(moved.withdrawn_minor, 0) as withdrawn_minor,
        coalesce(moved.reinstated_minor, 0) as reinstated_minor,
        said.currency,
        said.provider,
        said.account,
        said.livemode,
        said.status,
        {{ in_utc('said.first_at') }} as first_at,
        {{ in_utc('said.last_at') }} as last_at,
        said.subject_key,
        said.fee_minor,
        said.fee_event_id,
        {{ in_utc('said.fee_at') }} as fee_at
    from said
    left join moved
        on said.subject_key = moved.subject_key
        and said.dispute_id = moved.dispute_id
{%- endmacro %}
