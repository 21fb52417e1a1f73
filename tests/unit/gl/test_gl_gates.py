"""The gates of journal lines over made frames: each rule breaks on its case."""

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

from clearhouse.gl.domain import GL
from clearhouse.quality.gates import Gates

PROFILE = {
    "landed_rows": 1_410,
    "accepted_rows": 1_410,
    "rejected_rows": 0,
    "duplicate_rows": 0,
    "net_rows": 1_410,
    "rejected_share": 0.0,
    "other_day_rows": 0,
}
BROKEN = (
    *("unbalanced_journals", "missing_numbers", "doubled_numbers", "decks_not_one"),
    *("self_approved_lines", "two_sided_lines", "amount_off_lines", "other_day_lines"),
    *("lines_posted_ahead", "unknown_account_lines", "lines_without_well"),
    "control_lines_without_party",
)
DAY = {"rows": 2, "silver_rows": 2, "distinct_records": 2, **dict.fromkeys(BROKEN, 0)}
NOTHING = {"rows": 0, "silver_rows": 0, "distinct_records": 0}

RAW_CASES: list[Case] = [
    *[({column: None}, (NOT_NULL, column)) for column in PROFILE],
    ({"landed_rows": 0, "accepted_rows": 0, "net_rows": 0}, None),
    ({"rejected_rows": 1}, (BETWEEN, "rejected_rows")),
    ({"other_day_rows": 1}, (BETWEEN, "other_day_rows")),
    (AGAIN, (UNIQUE, "book_date")),
]
DAY_CASES: list[Case] = [
    *[({column: None}, (NOT_NULL, column)) for column in DAY],
    *[({column: 1}, (BETWEEN, column)) for column in BROKEN],
    ({"rows": 1}, (EQUAL, "rows")),
    ({"distinct_records": 1}, (EQUAL, "distinct_records")),
    (NOTHING, None),
    (AGAIN, (UNIQUE, "book_date")),
]


@pytest.mark.parametrize(
    ("suite", "checkpoint", "asset", "healthy", "cases"),
    [
        ("gl_lines_raw_schema", "gl_raw_gate", "gl_lines_profile", PROFILE, RAW_CASES),
        ("gl_lines_rules", "gl_business_gate", "gl_lines_days", DAY, DAY_CASES),
    ],
)
def test_every_rule_of_a_suite_has_a_case_that_breaks_it(
    tmp_path: Path,
    suite: str,
    checkpoint: str,
    asset: str,
    healthy: dict[str, object],
    cases: Sequence[Case],
) -> None:
    frames = {asset: frame(healthy, changes_of(cases))}
    gates = Gates(GL.gates, tmp_path / "gx")
    breaks_as_said(gates, checkpoint, frames, cases, GL.gates / f"expectations/{suite}.json")
