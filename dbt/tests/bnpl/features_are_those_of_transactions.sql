-- Every touched transaction that readers see has its features exactly once.
with features as (

    select count(*) as row_count, sum(transactions.amount) as amount
    from {{ ref('int_bnpl_touched_transactions') }} as transactions
    inner join {{ ref('int_bnpl_customer_history_features') }} as history
        on transactions.customer_id = history.customer_id
        and transactions.transaction_timestamp = history.decision_at

),

transactions as (

    select count(*) as row_count, sum(amount) as amount
    from {{ ref('int_bnpl_touched_transactions') }}

)

select
    features.row_count as features_row_count,
    transactions.row_count as transactions_row_count,
    features.amount as features_amount,
    transactions.amount as transactions_amount
from features
cross join transactions
where features.row_count <> transactions.row_count
    or features.amount is distinct from transactions.amount
