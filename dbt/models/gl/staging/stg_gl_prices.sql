{{ config(
    schema='silver',
    materialized='incremental',
    incremental_strategy='rebuild',
    unique_key='_book_date',
    meta={'dataset': 'gl.prices'},
    tags=['normalize'],
) }}

with source as (

    select bronze.*, build_day.silver_entry_id
    from {{ source('bronze', 'gl_prices') }} as bronze
    inner join {{ build_days('gl.prices') }} as build_day
        on bronze._book_date = build_day.book_date

),

superseded as (

    {{ superseded_within_the_day('source') }}

)

select
    -- ids
    source.series,

    -- money
    source.price,
    source.price_unit,

    -- categories
    source.name,
    source.product,
    source.product_code,
    source.kind,
    source.kind_code,
    source.area,
    source.area_code,
    source.unit,

    -- times
    source.period,

    -- as the source sent it
    source.extra,

    -- spine
    source._record_id,
    source._record_key,
    source._book_date,
    source._object_version,
    source._line,
    superseded._record_id is not null as _is_superseded,
    source.silver_entry_id as _entry_id
from source
left join superseded
    on source._book_date = superseded._book_date
    and source._record_id = superseded._record_id
