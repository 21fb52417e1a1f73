{{ config(schema='next', materialized='table', tags=['published']) }}

select subject_key as payout_key
from {{ ref('int_payments_touched_subjects') }}

union

select payout_key
from (
    {{ of_touched_entries('payout_key') }}
) as of_entries
