{{ config(schema='marts', materialized='view', tags=['published']) }}

with captured as (

    select
        {{ period_start('month', 'captured_at') }} as month_start,
        provider,
        account,
        livemode,
        count(*) as captured_payments,
        0 as opened_disputes,
        0 as lost_disputes
    from {{ served('marts', ref('payments')) }}
    where captured_at is not null
    group by {{ period_start('month', 'captured_at') }}, provider, account, livemode

),

opened as (

    select
        {{ period_start('month', 'first_at') }} as month_start,
        provider,
        account,
        livemode,
        0 as captured_payments,
        count(*) as opened_disputes,
        count(case when status = 'lost' then 1 end) as lost_disputes
    from {{ served('marts', ref('disputes')) }}
    group by {{ period_start('month', 'first_at') }}, provider, account, livemode

),

both_kinds as (

    select * from captured

    union all

    select * from opened

)

select
    month_start,
    provider,
    account,
    livemode,
    cast(sum(captured_payments) as bigint) as captured_payments,
    cast(sum(opened_disputes) as bigint) as opened_disputes,
    cast(sum(lost_disputes) as bigint) as lost_disputes,
    {{ share('sum(opened_disputes)', 'sum(captured_payments)') }} as dispute_rate
from both_kinds
group by month_start, provider, account, livemode
