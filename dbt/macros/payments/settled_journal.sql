{#
    What settlement entries say of the fees of each capture, refund, dispute and returned payout, and of
    each fee of the account: a row a currency that they are in.

    source_id: the object; of a fee of the account, the entry.
#}
{% macro settled_fees(entries) -%}
    with fees as (

        select
            subject_key,
            about,
            case about when 'account' then entry_id else source_id end as source_id,
            currency,
            provider,
            account,
            livemode,
            case kind when 'fee' then -net_minor else fee_minor end as fee_minor,
            entry_id,
            {{ in_utc('moved_at') }} as moved_at
        from {{ entries }} as entries
        where kind not in ('payout', 'transfer') and subject_key is not null

    )

    select
        subject_key,
        about,
        source_id,
        currency,
        max(provider) as provider,
        max(account) as account,
        livemode,
        {{ minor_sum('fee_minor') }} as fee_minor,
        min(entry_id) as entry_id,
        max(moved_at) as moved_at
    from fees
    group by subject_key, about, source_id, currency, livemode
{%- endmacro %}


{#
    Money that is settled in another currency than that of its capture, refund or dispute: a row a
    currency. What events have posted to clearing goes out of it in the currency of the object, and what
    the entries say of it comes in.

    amount_minor: by which clearing grows.
#}
{% macro converted_at_settlement(captures, refunds, disputes, entries) -%}
    with objects as (

        select
            payment_key as subject_key,
            'capture' as about,
            capture_id as source_id,
            currency,
            case when stands then amount_minor else 0 end as posted_minor
        from {{ captures }} as captures

        union all

        select
            coalesce(payment_key, refund_key),
            'refund',
            refund_id,
            currency,
            case when status = 'succeeded' then -counted_minor else 0 end
        from {{ refunds }} as refunds

        union all

        select
            coalesce(payment_key, dispute_key),
            'dispute',
            dispute_id,
            currency,
            reinstated_minor - withdrawn_minor
        from {{ disputes }} as disputes

    ),

    -- Disputed money at Square is posted from its entries, in their currency.
    settled as (

        select
            objects.subject_key,
            objects.about,
            objects.source_id,
            objects.currency as of_currency,
            objects.posted_minor,
            entries.currency,
            entries.amount_minor,
            entries.entry_id,
            {{ in_utc('entries.moved_at') }} as moved_at,
            entries.provider,
            entries.account,
            entries.livemode,
            case when entries.currency <> objects.currency then 1 else 0 end as is_converted
        from {{ entries }} as entries
        inner join objects
            on entries.subject_key = objects.subject_key
            and entries.about = objects.about
            and entries.source_id = objects.source_id
        where entries.kind <> 'fee'
            and (entries.provider <> 'square' or entries.about <> 'dispute')

    )

    select
        subject_key,
        about,
        source_id,
        currency,
        {{ minor_sum('amount_minor') }} as amount_minor,
        min(entry_id) as entry_id,
        max(moved_at) as moved_at,
        max(provider) as provider,
        max(account) as account,
        livemode
    from settled
    where is_converted = 1
    group by subject_key, about, source_id, currency, livemode

    union all

    select
        subject_key,
        about,
        source_id,
        of_currency,
        cast(
            coalesce(sum(case when is_converted = 0 then amount_minor end), 0) - min(posted_minor)
            as bigint
        ),
        min(entry_id),
        max(moved_at),
        max(provider),
        max(account),
        livemode
    from settled
    group by subject_key, about, source_id, of_currency, livemode
    having max(is_converted) = 1
{%- endmacro %}


{#
    Journal lines of what only settlement entries tell: fees that no event said, or said otherwise,
    disputed money at Square, whose events move none, money that was converted, and what PayPal
    transfers from or to the bank. Each is in the currency of its entries: a fee that an event said in
    another one is another fee.
#}
{% macro settled_journal(captures, refunds, disputes, entries) -%}
    with fees as (

        {{ settled_fees(entries) }}

    ),

    -- What events have said, and posted, of the same fees.
    said as (

        select payment_key as subject_key, 'capture' as about, capture_id as source_id, currency, fee_minor
        from {{ captures }} as captures

        union all

        select coalesce(payment_key, dispute_key), 'dispute', dispute_id, currency, fee_minor
        from {{ disputes }} as disputes

    ),

    postings as (

        select
            fees.subject_key,
            case fees.about
                when 'capture' then 'settled_fee:' else 'settled_' || fees.about || '_fee:'
            end || fees.source_id || ':' || fees.currency as posting,
            'fees' as debited,
            'clearing' as credited,
            fees.fee_minor - coalesce(said.fee_minor, 0) as amount_minor,
            fees.currency,
            fees.entry_id as event_id,
            fees.moved_at as occurred_at,
            fees.provider, fees.account, fees.livemode
        from fees
        left join said
            on fees.subject_key = said.subject_key
            and fees.about = said.about
            and fees.source_id = said.source_id
            and fees.currency = said.currency

        union all

        select
            subject_key,
            'settled_dispute:' || entry_id,
            'disputes',
            'clearing',
            -amount_minor,
            currency,
            entry_id,
            {{ in_utc('moved_at') }},
            provider, account, livemode
        from {{ entries }} as entries
        where provider = 'square' and about = 'dispute' and subject_key is not null

        union all

        select
            subject_key,
            'settled_' || kind || ':' || entry_id,
            case kind when 'conversion' then 'conversion' else 'bank' end,
            'clearing',
            -amount_minor,
            currency,
            entry_id,
            {{ in_utc('moved_at') }},
            provider, account, livemode
        from {{ entries }} as entries
        where kind in ('conversion', 'transfer')

        union all

        select
            subject_key,
            'converted_' || about || ':' || source_id || ':' || currency,
            'clearing',
            'conversion',
            amount_minor,
            currency, entry_id, moved_at, provider, account, livemode
        from (
            {{ converted_at_settlement(captures, refunds, disputes, entries) }}
        ) as converted

    )

    {{ lines_of_postings('postings') }}
{%- endmacro %}
