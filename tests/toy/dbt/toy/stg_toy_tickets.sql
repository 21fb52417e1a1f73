{{ config(
    schema='silver',
    materialized='incremental',
    incremental_strategy='rebuild',
    unique_key='_book_date',
    meta={'dataset': 'toy.tickets'},
    tags=['normalize'],
) }}

select
    bronze.number,
    bronze.booth,
    bronze.price,
    bronze.currency,
    bronze.sold_at,
    bronze._record_id,
    bronze._record_key,
    bronze._book_date,
    row_number() over (
        partition by bronze._book_date, bronze._record_key
        order by bronze._object_version desc, bronze._line desc
    ) > 1 as _is_superseded,
    build_day.silver_entry_id as _entry_id
from {{ source('bronze', 'toy_tickets') }} as bronze
inner join {{ build_days('toy.tickets') }} as build_day
    on bronze._book_date = build_day.book_date
