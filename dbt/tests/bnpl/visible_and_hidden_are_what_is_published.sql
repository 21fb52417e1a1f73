-- Of each published day, what readers see and what is hidden from them is all that was published.
with published as (

    {{ published_rows(ref('fct_bnpl_transactions'), 'bnpl', 'bnpl.transactions') }}

),

sides as (

    select _book_date, count(*) as row_count, sum(amount) as amount
    from published
    group by _book_date

    union all

    select _book_date, -count(*) as row_count, -sum(amount) as amount
    from {{ ref('mart_bnpl_transactions') }}
    group by _book_date

    union all

    select _book_date, -count(*) as row_count, -sum(amount) as amount
    from {{ ref('int_bnpl_hidden_records') }}
    group by _book_date

)

select _book_date, sum(row_count) as row_count, sum(amount) as amount
from sides
group by _book_date
having sum(row_count) <> 0
    or sum(amount) <> 0
