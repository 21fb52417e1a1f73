{{ config(schema='next', materialized='delta', meta={'served_in': 'gold'}, tags=['published']) }}

with visible as (

    {{ visible_after(
        ref('int_gl_published'), ref('int_gl_hidden_records'), ref('int_gl_touched_keys'), 'gl.lines'
    ) }}

)

select
    document,
    account_code,
    party_type,
    party_id,
    fiscal_period,
    cast(sum(amount) as decimal(18, 2)) as amount,
    min(due_date) as due_date,
    min(posting_date) as first_posted_on
from visible
where document in (select document from {{ ref('int_gl_touched_documents') }})
    and party_id is not null
    and account_code in (
        select account_code
        from (
            {{ chart_of_accounts() }}
        ) as chart
        where control <> ''
    )
group by document, account_code, party_type, party_id, fiscal_period
