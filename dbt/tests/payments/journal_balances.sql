-- After the publication being made: debits equal credits in every posting, in its one currency, and the
-- journal says of each payment what its fold says.
with events as (

    {{ visible_after(
        ref('int_payments_published'), ref('int_payments_hidden_records'),
        ref('int_payments_touched_keys'), 'payments.events'
    ) }}

),

{{ folded(['history', 'captures', 'refunds', 'payouts', 'payments'], events='events') }},

journal as (

    {{ journal_of('history', 'captures', 'refunds', 'payouts') }}

),

posted as (

    select
        subject_key,
        currency,
        {{ minor_sum("case when account_code = 'merchant_payable' then credit_minor - debit_minor end") }}
            as owed_minor,
        {{ minor_sum("case when account_code = 'disputes' then debit_minor - credit_minor end") }}
            as disputed_minor
    from journal
    group by subject_key, currency

)

select 'debits are not credits' as complaint, subject_key, posting
from journal
group by subject_key, posting
having sum(debit_minor) <> sum(credit_minor) or count(*) <> 2 or count(distinct currency) <> 1

union all

select 'the journal is not the payment', payments.payment_key, payments.status
from payments
left join posted
    on payments.payment_key = posted.subject_key
    and payments.currency = posted.currency
where payments.captured_minor - payments.refunded_minor <> coalesce(posted.owed_minor, 0)
    or payments.disputed_minor <> coalesce(posted.disputed_minor, 0)

union all

select 'more is refunded than captured', payment_key, status
from payments
where refunded_minor > captured_minor or refunded_minor < 0 or captured_minor < 0
