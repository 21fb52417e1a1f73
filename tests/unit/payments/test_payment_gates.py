"""The gates of payment events and settlements over made frames: each rule breaks on its case."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from gate_cases import (
    AGAIN,
    BETWEEN,
    EQUAL,
    NOT_NULL,
    UNIQUE,
    Case,
    breaks_as_said,
    changes_of,
    frame,
)

from clearhouse.payments.domain import PAYMENTS
from clearhouse.quality.gates import Gates

LANDED = {
    "landed_rows": 900,
    "accepted_rows": 900,
    "rejected_rows": 0,
    "duplicate_rows": 0,
    "net_rows": 900,
    "rejected_share": 0.0,
}
IN_GOLD = {"rows": 2, "silver_rows": 2, "distinct_records": 2}
EVENTS = (
    *("unknown_currency_events", "events_ahead", "other_day_events", "money_without_amount"),
    *("amount_without_currency", "negative_amounts", "events_without_object", "doubled_events"),
)
ENTRIES = (
    *("net_off_entries", "payouts_off_entries", "unknown_currency_entries", "doubled_entries"),
)


def _of_profile(*zero: str) -> tuple[dict[str, object], list[Case]]:
    healthy = {**LANDED, **dict.fromkeys(zero, 0)}
    return healthy, [
        *[({column: None}, (NOT_NULL, column)) for column in healthy],
        *[({column: 1}, (BETWEEN, column)) for column in zero],
        (dict.fromkeys(LANDED, 0), None),
        (AGAIN, (UNIQUE, "book_date")),
    ]


def _of_days(*zero: str) -> tuple[dict[str, object], list[Case]]:
    healthy = {**IN_GOLD, **dict.fromkeys(zero, 0)}
    return healthy, [
        *[({column: None}, (NOT_NULL, column)) for column in healthy],
        *[({column: 1}, (BETWEEN, column)) for column in zero],
        ({"rows": 1}, (EQUAL, "rows")),
        ({"distinct_records": 1}, (EQUAL, "distinct_records")),
        (dict.fromkeys(IN_GOLD, 0), None),
        (AGAIN, (UNIQUE, "book_date")),
    ]


@pytest.mark.parametrize(
    ("suite", "checkpoint", "asset", "cases"),
    [
        (
            "payments_raw_schema",
            "payments_raw_gate",
            "payments_profile",
            _of_profile("rejected_rows", "other_day_rows"),
        ),
        ("payments_rules", "payments_business_gate", "payments_days", _of_days(*EVENTS)),
        (
            "settlements_raw_schema",
            "settlements_raw_gate",
            "settlements_profile",
            _of_profile("rejected_rows"),
        ),
        ("settlements_rules", "settlements_business_gate", "settlements_days", _of_days(*ENTRIES)),
    ],
)
def test_every_rule_of_a_suite_has_a_case_that_breaks_it(
    tmp_path: Path,
    suite: str,
    checkpoint: str,
    asset: str,
    cases: tuple[dict[str, object], Sequence[Case]],
) -> None:
    healthy, changes = cases
    frames = {asset: frame(healthy, changes_of(changes))}
    gates = Gates(PAYMENTS.gates, tmp_path / "gx")
    file = PAYMENTS.gates / f"expectations/{suite}.json"
    breaks_as_said(gates, checkpoint, frames, changes, file)
