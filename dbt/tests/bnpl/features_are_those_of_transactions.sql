-- Every transaction that readers see, from each customer's first touched moment on, has its features
-- exactly once.
with transactions as (

    select purchases.customer_id, purchases.transaction_timestamp, purchases.amount
    from {{ ref('int_bnpl_touched_transactions') }} as purchases
    inner join {{ ref('int_bnpl_touched_customers') }} as touched
        on purchases.customer_id = touched.customer_id
        and purchases.transaction_timestamp >= touched.touched_from

),

features as (

    select count(*) as row_count, sum(transactions.amount) as amount
    from transactions
    inner join {{ ref('int_bnpl_customer_history_features') }} as history
        on transactions.customer_id = history.customer_id
        and transactions.transaction_timestamp = history.decision_at

),

totals as (

    select count(*) as row_count, sum(amount) as amount
    from transactions

)

select
    features.row_count as features_row_count,
    totals.row_count as transactions_row_count,
    features.amount as features_amount,
    totals.amount as transactions_amount
from features
cross join totals
where features.row_count <> totals.row_count
    or features.amount is distinct from totals.amount
