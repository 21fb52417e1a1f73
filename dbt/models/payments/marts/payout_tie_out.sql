{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ tie_out_of(ref('payouts'), ref('payout_entries')) }}
