{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

-- What partners are charged stands on 1140, or for overhead on 1130, beside the operator's own part of
-- the cost in the same entry: that says what it is for. Of several costs of a well in one entry, the
-- largest. An estimate has no document, and is charged to nobody; of those on an AFE the partners' part
-- counts as spent until it is reversed.
with costs as (

    select
        journal_entry,
        well_id,
        account_code,
        row_number() over (
            partition by journal_entry, well_id
            order by abs(sum(amount)) desc, account_code
        ) as place
    from {{ ref('int_gl_touched_lines') }}
    where account_code between '5000' and '6899' or account_code = '7200'
    group by journal_entry, well_id, account_code

)

select
    lines.fiscal_period,
    lines.party_id as partner_id,
    lines.well_id,
    lines.afe_number,
    lines.jib_number,
    costs.account_code,
    lines.document is null as is_estimate,
    case when lines._book_date > lines.posting_date then lines._book_date end as late_on,
    cast(sum(lines.amount) as decimal(18, 2)) as amount
from {{ ref('int_gl_touched_lines') }} as lines
inner join costs
    on lines.journal_entry = costs.journal_entry
    and lines.well_id = costs.well_id
    and costs.place = 1
where lines.account_code in ('1130', '1140')
    and lines.party_type = 'partner'
    and (lines.document is not null or lines.afe_number is not null)
group by
    lines.fiscal_period,
    lines.party_id,
    lines.well_id,
    lines.afe_number,
    lines.jib_number,
    costs.account_code,
    lines.document is null,
    case when lines._book_date > lines.posting_date then lines._book_date end
