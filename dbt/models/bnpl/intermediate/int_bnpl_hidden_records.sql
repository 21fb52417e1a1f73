{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

{{ hidden_records(ref('int_bnpl_published'), ref('int_bnpl_touched_keys'), 'bnpl.transactions') }}
