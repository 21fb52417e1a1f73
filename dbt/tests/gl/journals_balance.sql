-- The lines of each journal entry of a touched period sum to 0 in each currency: one that doesn't is not
-- published, whoever released its day.
select fiscal_period, journal_entry, currency, sum(amount) as amount
from {{ ref('int_gl_touched_lines') }}
group by fiscal_period, journal_entry, currency
having sum(amount) <> 0
