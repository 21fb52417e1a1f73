-- Of each day built, the gold entry holds as many records and as much money as silver's current rows.
with silver as (

    select _book_date, count(*) as row_count, sum(amount) as amount
    from {{ ref('stg_bnpl_raw_transactions') }}
    where {{ within_scope('bnpl.transactions', 'day') }}
        and not _is_superseded
    group by _book_date

),

gold as (

    select _book_date, count(*) as row_count, sum(amount) as amount
    from {{ ref('fct_bnpl_transactions') }}
    where {{ within_scope('bnpl.transactions', 'entry') }}
    group by _book_date

)

select
    coalesce(silver._book_date, gold._book_date) as _book_date,
    silver.row_count as silver_row_count,
    gold.row_count as gold_row_count,
    silver.amount as silver_amount,
    gold.amount as gold_amount
from silver
full outer join gold on silver._book_date = gold._book_date
where silver.row_count is distinct from gold.row_count
    or silver.amount is distinct from gold.amount
