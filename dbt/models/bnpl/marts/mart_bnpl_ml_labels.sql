{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ default_labels(ref('mart_bnpl_transactions')) }}
