{#
    What became of each purchase of a relation, and from when that is known. A query.

    simtom does not say whether the first payment is made at purchase or one interval later, and has
    sent misses of either plan. The later one is taken: a label may be known later than it could be,
    never earlier. A month counts 31 days for the same reason.
#}
{% macro default_labels(purchases) -%}
    {%- set window_days = 90 %}
    with terms as (

        select
            source.*,
            installment_count * case payment_frequency
                when 'weekly' then 7
                when 'bi_weekly' then 14
                when 'monthly' then 31
            end as term_days
        from {{ purchases }} as source

    ),

    -- A payment can be made until the day that it falls due ends: it is missed on the day after.
    dated as (

        select
            terms.*,
            {{ dbt.dateadd('day', 'days_to_first_missed_payment + 1', 'business_date') }} as missed_on,
            {{ dbt.dateadd('day', 'term_days + 1', 'business_date') }} as term_ended_on,
            {{ dbt.dateadd('day', window_days + 1, 'business_date') }} as window_closed_on
        from terms

    )

    select
        -- ids
        transaction_id,
        customer_id,

        -- labels
        will_default,
        case
            when not will_default then false
            else days_to_first_missed_payment <= {{ window_days }}
        end as missed_within_{{ window_days }}_days,
        days_to_first_missed_payment,

        -- times
        transaction_timestamp as decision_at,
        cast(case when will_default then coalesce(missed_on, term_ended_on) else term_ended_on end as timestamp)
            as label_known_at,
        cast(case when missed_on > term_ended_on then missed_on else term_ended_on end as timestamp)
            as label_matures_at,
        cast(window_closed_on as timestamp) as missed_within_{{ window_days }}_days_matures_at,

        -- spine
        _record_id,
        _record_key,
        _book_date
    from dated
{%- endmacro %}
