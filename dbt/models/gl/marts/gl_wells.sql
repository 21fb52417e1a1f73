{{ config(schema='marts', materialized='view', tags=['published']) }}

-- A well's lines agree on where it is, but for errors: what most of them say counts.
with said as (

    select
        well_id,
        api_number,
        lease_name,
        property_id,
        state,
        county,
        basin,
        sum(line_count) as line_count
    from {{ served('gold', ref('int_gl_activity')) }}
    where well_id is not null
    group by well_id, api_number, lease_name, property_id, state, county, basin

),

ranked as (

    select
        said.*,
        row_number() over (
            partition by well_id
            order by line_count desc, lease_name, property_id, api_number, county
        ) as place
    from said

),

spans as (

    select
        well_id,
        min(first_posted_on) as first_line_on,
        max(last_posted_on) as last_line_on
    from {{ served('gold', ref('int_gl_activity')) }}
    where well_id is not null
    group by well_id

)

select
    ranked.well_id,
    ranked.api_number,
    ranked.lease_name,
    ranked.property_id,
    ranked.state,
    ranked.county,
    ranked.basin,
    spans.first_line_on,
    spans.last_line_on
from ranked
inner join spans on ranked.well_id = spans.well_id
where ranked.place = 1
