-- Of each day built, the customers extracted are those of its current transactions, each once.
with extracted as (

    select _book_date, count(*) as customer_count
    from {{ ref('stg_bnpl_extracted_customers') }}
    where {{ within_scope('bnpl.transactions', 'day') }}
    group by _book_date

),

current_rows as (

    select _book_date, count(distinct customer_id) as customer_count
    from {{ ref('stg_bnpl_raw_transactions') }}
    where {{ within_scope('bnpl.transactions', 'day') }}
        and not _is_superseded
    group by _book_date

)

select
    coalesce(extracted._book_date, current_rows._book_date) as _book_date,
    extracted.customer_count as extracted_customer_count,
    current_rows.customer_count as current_customer_count
from extracted
full outer join current_rows on extracted._book_date = current_rows._book_date
where extracted.customer_count is distinct from current_rows.customer_count
