"""The gate over what dbt built: only days that pass it are published."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from clearhouse.bnpl.context import BUSINESS_GATE, DOMAIN, SILVER_TO_GOLD, Bnpl
from clearhouse.bnpl.gatekeeping import hold_or_pass
from clearhouse.bnpl.spine import CANDIDATES, GOLD, SILVER
from clearhouse.core.books.measure import minor_sql
from clearhouse.core.runner import StepReport

if TYPE_CHECKING:
    import pandas as pd

_CANDIDATES = f"""{GOLD} r JOIN {CANDIDATES} c
    ON c.domain = '{DOMAIN}' AND c.book_date = r._book_date AND c.entry_id = r._entry_id"""


def validate_business_rules(bnpl: Bnpl, days: Sequence[dt.date]) -> StepReport:
    """Judge the candidates of each day, and hold the days that break a business rule."""
    entries = bnpl.entries(SILVER_TO_GOLD, days)
    report = StepReport(done=list(entries))
    report.failed = {day: "Nothing is built for this day." for day in days if day not in entries}
    report.held = hold_or_pass(bnpl, BUSINESS_GATE, entries, lambda d: _frames(bnpl, d))
    bnpl.progress.advance(len(days))
    return report


def _frames(bnpl: Bnpl, days: Sequence[dt.date]) -> Mapping[str, "pd.DataFrame"]:
    listed = ", ".join(f"DATE '{day}'" for day in days)
    money = {
        f"{name}_minor": minor_sql(f"r.{column}", "r.currency")
        for name, column in (
            ("amount", "amount"),
            ("first_payment", "first_payment_amount"),
            ("product_price", "product_price"),
        )
    }
    amounts = ", ".join(f"{sql} AS {name}" for name, sql in money.items())
    rows = f"""
        SELECT strftime(r._book_date, '%Y-%m-%d') AS book_date, r._record_id AS record_id,
            r.customer_id, {amounts}, r.currency, r.status, r.installment_count, r.risk_score,
            r.will_default, r.days_to_first_missed_payment,
            r.will_default = (r.days_to_first_missed_payment IS NOT NULL) AS default_consistent,
            (r._book_date - CAST(r.transaction_timestamp AS DATE))::BIGINT AS transaction_age_days
        FROM {_CANDIDATES} WHERE r._book_date IN ({listed})"""
    profile = f"""
        SELECT strftime(d.book_date, '%Y-%m-%d') AS book_date, coalesce(g.rows, 0) AS rows,
            coalesce(s.rows, 0) AS silver_rows, g.default_rate, g.mean_amount_minor,
            coalesce(g.distinct_customers, 0) AS distinct_customers
        FROM (SELECT unnest([{listed}]) AS book_date) d
        LEFT JOIN (
            SELECT r._book_date AS book_date, count(*) AS rows,
                avg(r.will_default::INTEGER) AS default_rate,
                avg({money["amount_minor"]}) AS mean_amount_minor,
                count(DISTINCT r.customer_id) AS distinct_customers
            FROM {_CANDIDATES} GROUP BY ALL) g USING (book_date)
        LEFT JOIN (
            SELECT _book_date AS book_date, count(*) AS rows
            FROM {SILVER} WHERE NOT _is_superseded GROUP BY ALL) s USING (book_date)"""
    return {
        "bnpl_gold_rows": bnpl.engine.query(rows).to_pandas(),
        "bnpl_gold_days": bnpl.engine.query(profile).to_pandas(),
    }
