{{ config(schema='marts', materialized='view', tags=['published']) }}

select
    0 as date_key,
    cast(null as date) as date_day,
    cast(null as integer) as year,
    cast(null as integer) as quarter,
    cast(null as integer) as month,
    cast(null as integer) as day_of_month,
    cast(null as integer) as day_of_week,
    cast(null as integer) as iso_year,
    cast(null as integer) as iso_week,
    cast(null as boolean) as is_weekend

union all

select
    cast({{ date_key('days.day') }} as integer) as date_key,
    days.day as date_day,
    cast(extract(year from days.day) as integer) as year,
    cast(extract(quarter from days.day) as integer) as quarter,
    cast(extract(month from days.day) as integer) as month,
    cast(extract(day from days.day) as integer) as day_of_month,
    {{ iso_day_of_week('days.day') }} as day_of_week,
    {{ iso_year('days.day') }} as iso_year,
    {{ iso_week('days.day') }} as iso_week,
    {{ iso_day_of_week('days.day') }} >= 6 as is_weekend
from (
    {{ days_between(first_calendar_day(), last_calendar_day()) }}
) as days
