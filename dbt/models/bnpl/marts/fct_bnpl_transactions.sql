{{ config(schema='gold', materialized='entries', tags=['gold']) }}

with source as (

    select * from {{ ref('int_bnpl_transactions_enriched') }}

),

tagged as (

    select
        source.*,
        build_day.gold_entry_id as _entry_id
    from source
    inner join {{ build_days('bnpl.transactions') }} as build_day
        on source._book_date = build_day.book_date

)

select * from tagged
