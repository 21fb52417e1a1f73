{# A moment with its time zone, as a naive timestamp in UTC: the same in every session. #}
{% macro in_utc(moment) -%}
    ({{ moment }} at time zone 'UTC')
{%- endmacro %}


{# In which ids of a provider are unique: `<provider>:<account>:<live|test>`. #}
{% macro payment_scope(of='') -%}
    {{ of }}provider || ':' || {{ of }}account || ':'
        || case when {{ of }}livemode then 'live' else 'test' end
{%- endmacro %}


{#
    The place of a type of event among those of the same moment: the later it comes in a payment's
    life, the higher.
#}
{% macro event_rank(event_type) -%}
    {%- set types = [
        'pending', 'authorized', 'captured', 'capture_failed', 'failed', 'canceled',
        'refund_pending', 'refunded', 'refund_undone', 'dispute_opened', 'dispute_updated',
        'funds_withdrawn', 'funds_reinstated', 'dispute_closed', 'payout_sent', 'payout_paid',
        'payout_failed', 'payout_canceled', 'payout_reversed',
    ] -%}
    case {{ event_type }}
        {%- for each in types %}
        when '{{ each }}' then {{ loop.index }}
        {%- endfor %}
    end
{%- endmacro %}


{#
    Of a group of events, the newest value of a column that is known; null where none is. With
    `among`, of those alone for which the condition holds.
#}
{% macro newest(column, among='true') -%}
    (array_agg({{ column }} order by place desc) filter (where {{ column }} is not null and {{ among }}))[1]
{%- endmacro %}


{# The same of the oldest event: of what established a fact. #}
{% macro oldest(column, among='true') -%}
    (array_agg({{ column }} order by place) filter (where {{ column }} is not null and {{ among }}))[1]
{%- endmacro %}


{# A sum of minor units, 0 where there are none. #}
{% macro minor_sum(amount) -%}
    cast(coalesce(sum({{ amount }}), 0) as bigint)
{%- endmacro %}


{#
    Events with what they are about: a query of the events' columns, and

    scope: in which ids are unique.
    payment_key: the payment that the event is of; null of a payout, and where it is unknown. An id
        that events link to another one stands for that one (two links at most, as from a refund to
        its capture and on to the authorization); an event without an id of its payment is of the
        one that the merchant calls the same.
    subject_key: the payment, else the payout, else the dispute or refund by itself.
    place: of the event among its subject's. The order is by version of the object, then time, then
        type, then id, so that no order of arrival makes a difference.
#}
{% macro events_of_payments(events) -%}
    with scoped as (

        select *, {{ payment_scope() }} as scope
        from {{ events }}

    ),

    linked as (

        select scope, payment_id, min(linked_id) as linked_id
        from scoped
        where linked_id <> payment_id
        group by scope, payment_id

    ),

    named as (

        select
            scoped.*,
            coalesce(
                further.linked_id, linked.linked_id, scoped.linked_id, scoped.payment_id
            ) as known_id
        from scoped
        left join linked
            on scoped.scope = linked.scope
            and scoped.payment_id = linked.payment_id
        left join linked as further
            on scoped.scope = further.scope
            and linked.linked_id = further.payment_id

    ),

    referred as (

        select scope, merchant_reference, min(known_id) as known_id
        from named
        where payment_id is not null and merchant_reference is not null
        group by scope, merchant_reference

    ),

    keyed as (

        select
            named.*,
            named.scope || ':' || case
                when named.payout_id is null then
                    case
                        when named.payment_id is not null then named.known_id
                        else referred.known_id
                    end
            end as payment_key
        from named
        left join referred
            on named.payment_id is null
            and named.scope = referred.scope
            and named.merchant_reference = referred.merchant_reference

    ),

    placed as (

        select
            keyed.*,
            coalesce(
                payment_key, scope || ':' || coalesce(payout_id, dispute_id, refund_id, event_id)
            ) as subject_key
        from keyed

    )

    select
        placed.*,
        row_number() over (
            partition by subject_key
            order by
                coalesce(object_version, 0), occurred_at, {{ event_rank('event_type') }}, event_id
        ) as place
    from placed
{%- endmacro %}
