-- Over the customers that the publication touches: as many purchases and as much money as readers see.
with customers as (

    select sum(purchase_count) as row_count, sum(total_amount) as amount
    from {{ ref('mart_bnpl_customers') }}

),

transactions as (

    select count(*) as row_count, sum(amount) as amount
    from {{ ref('int_bnpl_touched_transactions') }}

)

select
    customers.row_count as customers_row_count,
    transactions.row_count as transactions_row_count,
    customers.amount as customers_amount,
    transactions.amount as transactions_amount
from customers
cross join transactions
where coalesce(customers.row_count, 0) <> transactions.row_count
    or customers.amount is distinct from transactions.amount
