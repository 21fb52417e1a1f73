{{ config(schema='marts', materialized='table') }}

select * from {{ ref('int_bnpl_transactions_enriched') }}
