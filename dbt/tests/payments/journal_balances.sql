-- Of what the publication being made touches: debits equal credits in every posting, in its one currency,
-- and the journal says of each payment what its fold says.
with journal as (

    select * from {{ ref('int_payments_event_lines') }}

    union all

    select * from {{ ref('int_payments_settled_lines') }}

),

posted as (

    select
        subject_key,
        currency,
        {{ minor_sum("case when account_code = 'merchant_payable' then credit_minor - debit_minor end") }}
            as owed_minor,
        {{ minor_sum("case when account_code = 'disputes' then debit_minor - credit_minor end") }}
            as disputed_minor
    from {{ ref('int_payments_event_lines') }}
    group by subject_key, currency

)

select 'debits are not credits' as complaint, subject_key, posting
from journal
group by subject_key, posting
having sum(debit_minor) <> sum(credit_minor) or count(*) <> 2 or count(distinct currency) <> 1

union all

select 'the journal is not the payment', payments.payment_key, payments.status
from {{ ref('payments') }} as payments
left join posted
    on payments.payment_key = posted.subject_key
    and payments.currency = posted.currency
where payments.captured_minor - payments.refunded_minor <> coalesce(posted.owed_minor, 0)
    or payments.disputed_minor <> coalesce(posted.disputed_minor, 0)

union all

select 'more is refunded than captured', payment_key, status
from {{ ref('payments') }} as payments
where refunded_minor > captured_minor or refunded_minor < 0 or captured_minor < 0
