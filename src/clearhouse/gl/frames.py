"""What the gates of journal lines judge: figures of a day in bronze, and of its journals in gold.

One row a book date: each figure counts what breaks a rule, in SQL, whatever the number of lines.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa

from clearhouse.core.columnar import dates
from clearhouse.core.resources import resource
from clearhouse.gl.chart import chart_of_accounts
from clearhouse.gl.findings import DECK
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.hops import candidates_sql
from clearhouse.pipeline.profiles import candidates_of, gold_profile, raw_profile
from clearhouse.quality.frames import Frames

CHART = resource("contracts") / "gl" / "chart_of_accounts.csv"

_RAW_FIGURES: Mapping[str, str] = {
    "other_day_rows": "count(*) FILTER (recorded_on <> _book_date)",
}
_KEY_OF_CONTROL = {"afe": "afe_number", "well": "well_id", "material": "document"}
"""What a line on such a control account names, where it is not a party with a document."""
_LONGEST_PERIOD_DAYS = 36
"""No line of a period was recorded so long before another one was posted in it."""


def raw_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """One row a book date: what the books measured, and what bronze holds."""
    rows = raw_profile(run, dataset, days, _RAW_FIGURES)
    return {"gl_lines_profile": pa.Table.from_pylist(list(rows.values()))}


def business_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """One row a book date: its lines, its journals and their numbers."""
    whole = gold_profile(run, dataset, days, _line_figures(run))
    for figures in (_journal_figures(run, dataset, days), _number_figures(run, dataset, days)):
        found = {row["book_date"]: row for row in figures.to_pylist()}
        for name in figures.column_names[1:]:
            counts = [found.get(day, {}).get(name, 0) for day in days]
            whole = whole.append_column(name, pa.array(counts, pa.int64()))
    return {"gl_lines_days": whole}


def control_accounts() -> dict[str, list[str]]:
    """Codes of the control accounts, by what their subledger is kept by."""
    found: dict[str, list[str]] = {}
    for account in chart_of_accounts().values():
        if account.control:
            found.setdefault(account.control, []).append(account.code)
    return found


def _line_figures(run: Run) -> Mapping[str, str]:
    """Lines that break a rule, by the rule."""
    text = run.engine.dialect.text
    known = ", ".join(
        text("|".join((account.code, account.name, account.account_class)))
        for account in chart_of_accounts().values()
        if account.active
    )
    wells = ", ".join(
        f"'{account.code}'" for account in chart_of_accounts().values() if account.needs_well
    )
    broken = {
        "self_approved_lines": "r.created_by = r.approved_by",
        "two_sided_lines": """CASE WHEN r.account_class = 'STATISTICAL'
            THEN r.debit <> 0 OR r.credit <> 0 ELSE (r.debit > 0) = (r.credit > 0) END""",
        "amount_off_lines": "r.amount <> r.debit - r.credit",
        "other_day_lines": "r.recorded_on <> r._book_date",
        "lines_posted_ahead": "r.posting_date > r.recorded_on",
        "unknown_account_lines": f"""r.account_code || '|' || r.account_name || '|'
            || r.account_class NOT IN ({known})""",
        "lines_without_well": f"r.account_code IN ({wells}) AND r.well_id IS NULL",
        "control_lines_without_party": " OR ".join(_without_party()),
    }
    return {name: f"count(CASE WHEN {condition} THEN 1 END)" for name, condition in broken.items()}


def _without_party() -> list[str]:
    """SQL conditions for lines that a control account's subledger can't place."""
    found = []
    for control, codes in control_accounts().items():
        listed = ", ".join(f"'{code}'" for code in codes)
        key = _KEY_OF_CONTROL.get(control)
        misses = (
            f"r.{key} IS NULL"
            if key
            else f"r.party_id IS NULL OR r.document IS NULL OR r.party_type <> '{control}'"
        )
        found.append(f"(r.account_code IN ({listed}) AND ({misses}))")
    return found


def _journal_figures(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> pa.Table:
    """Journals of each day that don't balance, and decks whose shares don't sum to 1."""
    candidates = candidates_of(run, dataset, days)
    deck = ", ".join(f"r.{name}" for name in DECK)
    return run.engine.query(f"""
        WITH journals AS (
            SELECT r._book_date AS book_date, r.journal_entry, sum(r.amount) AS amount
            FROM {candidates} GROUP BY r._book_date, r.journal_entry, r.currency
        ), decks AS (
            SELECT r._book_date AS book_date, sum(r.share) AS share
            FROM {candidates} AND r.share IS NOT NULL
            GROUP BY r._book_date, r.journal_entry, {deck}
        )
        SELECT book_date, CAST(sum(unbalanced) AS BIGINT) AS unbalanced_journals,
            CAST(sum(bad) AS BIGINT) AS decks_not_one
        FROM (
            SELECT book_date, 1 AS unbalanced, 0 AS bad FROM journals WHERE amount <> 0
            UNION ALL
            SELECT book_date, 0 AS unbalanced, 1 AS bad FROM decks WHERE share <> 1
        ) AS broken GROUP BY book_date""")


def _number_figures(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> pa.Table:
    """Numbers that are missing before or within each day, and those that another day has too.

    The candidates of all days count, held ones as well. Before a day that follows one which is not
    there, nothing is said: its numbers came on that one.
    """
    engine = run.engine
    candidates = candidates_sql(dataset.id, dataset.declared.gold)
    listed = dates(engine.dialect, days)
    answer = engine.query(
        f"SELECT min(r.posting_date) AS day FROM {candidates_of(run, dataset, days)}"
    )
    posted_from = answer["day"][0].as_py() or min(days)
    since = engine.dialect.date(posted_from - dt.timedelta(days=_LONGEST_PERIOD_DAYS))
    return engine.query(f"""
        WITH numbered AS (
            SELECT r._book_date AS book_date, r.ledger, r.fiscal_period,
                min(r.entry_number) AS first_number, max(r.entry_number) AS last_number,
                count(DISTINCT r.entry_number) AS numbers, min(r.posting_date) AS posted_on
            FROM {candidates}
            WHERE r._book_date >= {since} AND r.fiscal_period IN (
                SELECT r.fiscal_period FROM {candidates} WHERE r._book_date IN ({listed}))
            GROUP BY r._book_date, r.ledger, r.fiscal_period
        ), days AS (
            SELECT book_date, row_number() OVER (ORDER BY book_date) AS nth,
                min(book_date) OVER () AS first_day
            FROM ops.candidate WHERE dataset = '{dataset.id}'
        ), placed AS (
            SELECT numbered.*, days.nth, days.first_day,
                lag(last_number) OVER period AS last_before,
                lag(days.nth) OVER period AS nth_before,
                lag(numbered.book_date) OVER period AS day_before
            FROM numbered JOIN days ON days.book_date = numbered.book_date
            WINDOW period AS (PARTITION BY ledger, fiscal_period ORDER BY numbered.book_date)
        )
        SELECT book_date,
            CAST(sum(last_number - first_number + 1 - numbers + CASE
                WHEN first_number > expected THEN first_number - expected ELSE 0 END) AS BIGINT)
                AS missing_numbers,
            CAST(sum(CASE WHEN first_number < expected
                THEN expected - first_number ELSE 0 END) AS BIGINT) AS doubled_numbers
        FROM (
            SELECT placed.*, CASE
                WHEN day_before IS NULL AND posted_on - first_day >= {_LONGEST_PERIOD_DAYS}
                    THEN 1
                WHEN day_before IS NULL OR book_date - day_before <> nth - nth_before
                    THEN first_number
                ELSE last_before + 1 END AS expected
            FROM placed
        ) AS judged
        WHERE book_date IN ({listed}) GROUP BY book_date""")
