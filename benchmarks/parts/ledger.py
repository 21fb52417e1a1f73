"""The general ledger by itself: how fast it is made, and how long the proof takes that it balances.

The proof is over years of lines in a DuckDB file: the year of the generator, again and again under
numbers, documents and dates of later years.
"""

from contextlib import ExitStack
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.jobs import (
    FIRST_DAY,
    SEED,
    BenchmarkError,
    Done,
    Job,
    Stopwatch,
    Task,
    nothing_to_compare,
)
from clearhouse.core.resources import resource
from clearhouse.gl.service.columns import published
from clearhouse.sandbox.gl.ledger import Ledger

YEARS = 32
"""Of some 320,000 lines each: ten million."""

_JOURNALS = """
    SELECT journal_entry, sum(amount) AS difference
    FROM lines GROUP BY journal_entry, currency HAVING sum(amount) <> 0"""

_MOVED = """
    moved AS (
        SELECT fiscal_period, account_code, sum(debit) AS debits, sum(credit) AS credits
        FROM lines GROUP BY fiscal_period, account_code),
    periods AS (SELECT DISTINCT fiscal_period FROM moved)"""

_TRIAL_BALANCE = f"""
    WITH {_MOVED}, closing AS (
        SELECT p.fiscal_period, m.account_code, sum(m.debits - m.credits) AS balance
        FROM periods AS p JOIN moved AS m ON m.fiscal_period <= p.fiscal_period
        GROUP BY p.fiscal_period, m.account_code)
    SELECT fiscal_period, sum(balance) AS difference
    FROM closing GROUP BY fiscal_period HAVING sum(balance) <> 0"""

_CONTROLS = f"""
    WITH {_MOVED}, items AS (
        SELECT l.fiscal_period, l.account_code, l.party_id, l.document, sum(l.amount) AS amount
        FROM lines AS l JOIN controls AS c ON c.account_code = l.account_code
        WHERE CASE c.control
            WHEN 'well' THEN l.well_id IS NOT NULL
            WHEN 'afe' THEN l.afe_number IS NOT NULL
            ELSE l.party_type = c.control AND l.party_id IS NOT NULL END
            AND l.document IS NOT NULL
        GROUP BY l.fiscal_period, l.account_code, l.party_id, l.document),
    differences AS (
        SELECT fiscal_period, account_code, debits - credits AS amount
        FROM moved JOIN controls USING (account_code)
        UNION ALL
        SELECT fiscal_period, account_code, -amount FROM items),
    by_period AS (
        SELECT fiscal_period, account_code, sum(amount) AS amount
        FROM differences GROUP BY fiscal_period, account_code)
    SELECT p.fiscal_period, d.account_code, sum(d.amount) AS difference
    FROM periods AS p JOIN by_period AS d ON d.fiscal_period <= p.fiscal_period
    GROUP BY p.fiscal_period, d.account_code HAVING sum(d.amount) <> 0"""

_PROOF = {
    "each journal balances": _JOURNALS,
    "the trial balance is zero in each period": _TRIAL_BALANCE,
    "controls equal their subledgers in each period": _CONTROLS,
}
"""What is proved: queries that answer with what is wrong."""

_LATER = """
    INSERT INTO lines SELECT * EXCLUDE (month) REPLACE (
        strftime(month, '%Y%m') || substr(line_id, 7) AS line_id,
        gl_entry_id + {year} * 3_660_000_000 AS gl_entry_id,
        {number_of_journal_entry} AS journal_entry,
        {number_of_reverses} AS reverses,
        strftime(month, '%Y-%m') AS fiscal_period,
        fiscal_year + {year} AS fiscal_year,
        CAST(transaction_date + INTERVAL {year} YEAR AS DATE) AS transaction_date,
        CAST(posting_date + INTERVAL {year} YEAR AS DATE) AS posting_date,
        CAST(recorded_on + INTERVAL {year} YEAR AS DATE) AS recorded_on,
        document || '/' || {year} AS document)
    FROM (SELECT *, CAST(fiscal_period || '-01' AS DATE) + INTERVAL {year} YEAR AS month
        FROM one_year)"""
_LATER_NUMBER = "printf('JE-%08d', CAST(substr({name}, 4) AS BIGINT) + {year} * 12_000_000)"


def make(job: Job, _: ExitStack) -> Task:
    """Make the days' lines in memory, as columns, in one thread."""
    Ledger(SEED + 1).lines(FIRST_DAY, FIRST_DAY)  # what is imported when it is first needed

    def run() -> Done:
        return Done(len(_lines(job)), 0)

    return Task(run)


def balance(job: Job, stack: ExitStack) -> Task:
    """Prove that every journal balances, each period too, and that controls have subledgers."""
    file = _years(job)
    connection = stack.enter_context(duckdb.connect(str(file)))
    ((count,),) = connection.execute("SELECT count(*) FROM lines").fetchall()

    def run() -> Done:
        watch = Stopwatch()
        for what, sql in _PROOF.items():
            with watch.timed(what):
                wrong = connection.execute(sql).fetchall()
            if wrong:
                raise BenchmarkError(f"It isn't so that {what}: {wrong[:3]}")
        return Done(count, 0, watch.seconds)

    return Task(run, lambda: _finds_a_fault(file))


def _lines(job: Job) -> pa.Table:
    return Ledger(SEED, FIRST_DAY).lines(FIRST_DAY, job.window.last)


def _years(job: Job) -> Path:
    """The ledger of the job's days and their repetitions, made once for all rounds."""
    file = job.inputs / f"ledger-{job.days}" / "years.duckdb"
    if not file.exists():
        making = file.with_name("being-made.duckdb")
        making.parent.mkdir(parents=True, exist_ok=True)
        making.unlink(missing_ok=True)
        _write(making, _lines(job))
        making.rename(file)
    return file


def _write(file: Path, year: pa.Table) -> None:
    """The lines with money as the marts have it, and again for each later year."""
    chart = resource("contracts") / "gl" / "chart_of_accounts.csv"
    with duckdb.connect(str(file)) as connection:
        connection.register("generated", published(year))
        connection.execute("CREATE TABLE one_year AS FROM generated")
        connection.execute(f"""
            CREATE TABLE controls AS SELECT code AS account_code, control
            FROM read_csv('{chart}', all_varchar = true)
            WHERE control <> 'material'""")  # what is in stock is not told by lines
        connection.execute("CREATE TABLE lines AS FROM one_year")
        for later in range(1, YEARS):
            numbers = {
                f"number_of_{name}": _LATER_NUMBER.format(name=name, year=later)
                for name in ("journal_entry", "reverses")
            }
            connection.execute(_LATER.format(year=later, **numbers))
        connection.execute("DROP TABLE one_year")


def _finds_a_fault(file: Path) -> dict[str, str]:
    """See that the proof isn't empty: a cent and a document of one line are changed for a while."""
    with duckdb.connect(str(file)) as connection:
        connection.begin()
        connection.execute("""
            UPDATE lines SET debit = debit + 0.01, amount = amount + 0.01, document = NULL
            WHERE gl_entry_id = (SELECT min(gl_entry_id) FROM lines WHERE party_type = 'vendor')""")
        for what, sql in _PROOF.items():
            if not connection.execute(sql).fetchall():
                raise BenchmarkError(f"A changed line is not found where {what}.")
        connection.rollback()
    return nothing_to_compare()
