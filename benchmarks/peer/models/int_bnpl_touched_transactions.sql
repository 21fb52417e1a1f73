{{ config(schema='next', materialized='view') }}

-- All purchases: the peer builds its customers whole.
select * from {{ ref('mart_bnpl_transactions') }}
