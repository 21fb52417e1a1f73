{{ config(schema='next', materialized='delta', meta={'served_in': 'marts'}, tags=['published']) }}

{% set touched = 'payout_key in (select payout_key from ' ~ ref('int_payments_touched_payouts') ~ ')' -%}

with payouts as (

    select *
    from {{ subjects_after(ref('payouts'), 'payout_key', touched) }} as payouts

),

entries as (

    select payout_key, subject_key, kind, about, amount_minor, fee_minor, net_minor
    from {{ payout_entries_after(touched) }} as entries

)

select *
from (
    {{ tie_out_of('payouts', 'entries') }}
) as tied
