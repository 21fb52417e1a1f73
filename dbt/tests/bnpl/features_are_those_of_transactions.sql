-- Every transaction that readers see has its features exactly once: as many rows and as much money.
with features as (

    select count(*) as row_count, sum(amount) as amount
    from {{ ref('mart_bnpl_ml_features') }}

),

transactions as (

    select count(*) as row_count, sum(amount) as amount
    from {{ ref('mart_bnpl_transactions') }}

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
