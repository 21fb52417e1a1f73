{{ config(schema='next', materialized='table', tags=['published']) }}

select subject_key
from {{ ref('int_payments_touched_subjects') }}

union

select subject_key
from (
    {{ of_touched_entries('subject_key') }}
) as of_entries
