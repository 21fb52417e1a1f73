{{ config(schema='marts', materialized='view', tags=['published']) }}

with moved as (

    select
        cast(occurred_at as date) as moved_on,
        provider,
        account,
        livemode,
        currency,
        case
            when posting like 'capture%' then 'captured'
            when posting like 'refund%' then 'refunded'
            when posting like 'withdrawal:%' or posting like 'reinstatement:%' then 'disputed'
            when posting like 'fee:%' or posting like 'dispute_fee:%' then 'fee'
            when posting like 'settled_dispute:%' then 'disputed'
            when posting like 'settled_%' then 'fee'
            when posting like 'converted_%' then 'converted'
            else 'paid_out'
        end as kind,
        posting,
        debit_minor - credit_minor as due_minor
    from {{ ref('payment_journal') }}
    where account_code = 'clearing'

)

select
    moved_on,
    provider,
    account,
    livemode,
    currency,
    count(case when posting like 'capture:%' then 1 end) as captures,
    {{ minor_sum("case when kind = 'captured' then due_minor end") }} as captured_minor,
    {{ minor_sum("case when kind = 'refunded' then -due_minor end") }} as refunded_minor,
    {{ minor_sum("case when kind = 'disputed' then -due_minor end") }} as disputed_minor,
    {{ minor_sum("case when kind = 'fee' then -due_minor end") }} as fee_minor,
    {{ minor_sum("case when kind = 'paid_out' then -due_minor end") }} as paid_out_minor,
    {{ minor_sum("case when kind = 'converted' then due_minor end") }} as converted_minor,
    {{ minor_sum('due_minor') }} as due_minor
from moved
group by moved_on, provider, account, livemode, currency
