-- Of each key of a day built, exactly one row is not superseded.
select _book_date, _record_key
from {{ ref('stg_bnpl_raw_transactions') }}
where {{ within_scope('bnpl.transactions', 'day') }}
group by _book_date, _record_key
having count(case when not _is_superseded then 1 end) <> 1
