"""The gate over what dbt built: only days that pass it are published.

Rules of single rows are judged on parts of some days each, so that a year is never in memory as a
whole; rules of days on one table of daily profiles, each figure of which is a query.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from clearhouse.bnpl import profiles
from clearhouse.bnpl.context import (
    BUSINESS_GATE,
    LANDING_TO_BRONZE,
    RAW_GATE,
    SILVER_TO_GOLD,
    Bnpl,
)
from clearhouse.bnpl.gatekeeping import hold_or_pass
from clearhouse.bnpl.spine import CANDIDATES, SILVER
from clearhouse.books.measure import minor_sql
from clearhouse.core.resources import resource
from clearhouse.pipeline.runner import StepReport

if TYPE_CHECKING:
    import pandas as pd

_ROWS_IN_MEMORY = 400_000
"""Rows of one part, of which two are there at a time: some 160 MB each with what is made of them.
A part costs 0.2 s beside its rows."""


def validate_business_rules(bnpl: Bnpl, days: Sequence[dt.date]) -> StepReport:
    """Judge the candidates of each day, and hold the days that break a business rule."""
    entries = bnpl.entries(SILVER_TO_GOLD, days)
    report = StepReport(done=list(entries))
    report.failed = {day: "Nothing is built for this day." for day in days if day not in entries}
    report.held = hold_or_pass(bnpl, BUSINESS_GATE, entries, lambda d: _frames(bnpl, d))
    bnpl.progress.advance(len(days))
    return report


def _frames(bnpl: Bnpl, days: Sequence[dt.date]) -> Mapping[str, Any]:
    """By asset, a frame or (of the rows) its parts."""
    whole = bnpl.engine.query(_profile_sql(days)).to_pandas()
    records = dict(zip(days, whole["rows"].tolist(), strict=True))
    return {
        "bnpl_gold_rows": _parts(bnpl, records),
        "bnpl_gold_days": whole,
        "bnpl_gold_statistics": _statistics(bnpl, days),
    }


def _parts(bnpl: Bnpl, records: Mapping[dt.date, int]) -> Iterator["pd.DataFrame"]:
    """The rows to judge, whole days at a time. While one part is judged, the next is read."""

    def read(part: Sequence[dt.date]) -> "pd.DataFrame":
        rows: pd.DataFrame = bnpl.engine.query(_rows_sql(part)).to_pandas()
        return rows

    with ThreadPoolExecutor(1) as pool:
        ahead: Future[pd.DataFrame] | None = None
        for part in _parted(records):
            following = pool.submit(read, part)
            if ahead is not None:
                yield ahead.result()
            ahead = following
        if ahead is not None:
            yield ahead.result()


def _parted(records: Mapping[dt.date, int]) -> Iterator[list[dt.date]]:
    """The days, in parts that fit in memory."""
    part: list[dt.date] = []
    rows = 0
    for day, count in records.items():
        if part and rows + count > _ROWS_IN_MEMORY:
            yield part
            part, rows = [], 0
        part.append(day)
        rows += count
    if part:
        yield part


def _rows_sql(days: Sequence[dt.date]) -> str:
    """One row a candidate, with the columns that a rule is about and no other."""
    return f"""
        SELECT strftime(r._book_date, '%Y-%m-%d') AS book_date, r.customer_id,
            {minor_sql("r.amount", "r.currency")} AS amount_minor,
            {minor_sql("r.first_payment_amount", "r.currency")} AS first_payment_minor,
            {minor_sql("r.product_price", "r.currency")} AS product_price_minor,
            r.currency, r.status, r.installment_count, r.risk_score, r.will_default,
            r.will_default = (r.days_to_first_missed_payment IS NOT NULL) AS default_consistent,
            (r._book_date - CAST(r.transaction_timestamp AS DATE))::BIGINT AS transaction_age_days
        FROM {CANDIDATES} WHERE r._book_date IN ({_listed(days)})"""


def _profile_sql(days: Sequence[dt.date]) -> str:
    """One row for each of the days, in their order, also for one without candidates."""
    return f"""
        SELECT strftime(d.book_date, '%Y-%m-%d') AS book_date, coalesce(g.rows, 0) AS rows,
            coalesce(g.distinct_records, 0) AS distinct_records,
            coalesce(s.rows, 0) AS silver_rows, g.default_rate, g.mean_amount_minor,
            coalesce(g.distinct_customers, 0) AS distinct_customers
        FROM (
            SELECT unnest([{_listed(days)}]) AS book_date, unnest(range({len(days)})) AS position
        ) d
        LEFT JOIN (
            SELECT r._book_date AS book_date, count(*) AS rows,
                count(DISTINCT r._record_id) AS distinct_records,
                avg(r.will_default::INTEGER) AS default_rate,
                avg({minor_sql("r.amount", "r.currency")}) AS mean_amount_minor,
                count(DISTINCT r.customer_id) AS distinct_customers
            FROM {CANDIDATES} WHERE r._book_date IN ({_listed(days)}) GROUP BY ALL
        ) g USING (book_date)
        LEFT JOIN (
            SELECT _book_date AS book_date, count(*) AS rows
            FROM {SILVER} WHERE NOT _is_superseded AND _book_date IN ({_listed(days)})
            GROUP BY ALL
        ) s USING (book_date)
        ORDER BY position"""


def _statistics(bnpl: Bnpl, days: Sequence[dt.date]) -> "pd.DataFrame":
    """Volume, drift and freshness of the days that have candidates, beside what is promised."""
    candidates = f"SELECT r.* FROM {CANDIDATES} WHERE r._book_date IN ({_listed(days)})"
    baseline = profiles.Baseline.load(
        resource("gx") / "baselines" / f"{bnpl.pattern.baseline}.json"
    )
    return profiles.statistics(
        bnpl.engine.query(profiles.profile_sql(candidates)),
        bnpl.pattern,
        baseline,
        _released_by_raw_gate(bnpl, days),
    )


def _released_by_raw_gate(bnpl: Bnpl, days: Sequence[dt.date]) -> set[dt.date]:
    """Days whose volume a person has vouched for: nobody is asked twice for one reason."""
    landed = {e.entry_id: day for day, e in bnpl.entries(LANDING_TO_BRONZE, days).items()}
    return {
        landed[entry_id]
        for entry_id, decisions in bnpl.decisions.of_many(list(landed)).items()
        for decision in decisions
        if decision.gate == RAW_GATE and not decision.passed and not decision.holds
    }


def _listed(days: Sequence[dt.date]) -> str:
    return ", ".join(f"DATE '{day}'" for day in days)
