-- The takings of the touched booths are those of their published tickets, each counted once.
with takings as (

    select coalesce(sum(ticket_count), 0) as ticket_count from {{ ref('mart_toy_takings') }}

),

tickets as (

    select count(distinct published._record_key) as ticket_count
    from {{ published_after(ref('int_toy_published'), 'toy.tickets') }} as published
    inner join {{ ref('int_toy_touched_booths') }} as touched on published.booth = touched.booth

)

select takings.ticket_count, tickets.ticket_count as expected_count
from takings
cross join tickets
where takings.ticket_count <> tickets.ticket_count
