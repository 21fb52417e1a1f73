-- Of each day built, silver holds as many records and as much money as bronze.
with bronze as (

    select _book_date, count(*) as row_count, sum(amount) as amount
    from {{ source('bronze', 'bnpl_transactions') }}
    where {{ within_scope('bnpl.transactions', 'day') }}
    group by _book_date

),

silver as (

    select _book_date, count(*) as row_count, sum(amount) as amount
    from {{ ref('stg_bnpl_raw_transactions') }}
    where {{ within_scope('bnpl.transactions', 'day') }}
    group by _book_date

)

select
    coalesce(bronze._book_date, silver._book_date) as _book_date,
    bronze.row_count as bronze_row_count,
    silver.row_count as silver_row_count,
    bronze.amount as bronze_amount,
    silver.amount as silver_amount
from bronze
full outer join silver on bronze._book_date = silver._book_date
where bronze.row_count is distinct from silver.row_count
    or bronze.amount is distinct from silver.amount
