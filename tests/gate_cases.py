"""Cases of the rules of a gate: a day each, on which one thing is changed."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from clearhouse.quality.gates import Gates

Change = dict[str, Any] | str
"""Values of a healthy row that are changed; or AGAIN: the last row of the frame comes twice."""
Case = tuple[Change, tuple[str, str] | None]
"""A change, and the rule (expectation, column) that it breaks; None: still within every rule."""
AGAIN = "again"

NOT_NULL = "expect_column_values_to_not_be_null"
BETWEEN = "expect_column_values_to_be_between"
IN_SET = "expect_column_values_to_be_in_set"
UNIQUE = "expect_column_values_to_be_unique"
AT_LEAST = "expect_column_pair_values_a_to_be_greater_than_b"
EQUAL = "expect_column_pair_values_to_be_equal"


def days_from(first: str, count: int) -> list[dt.date]:
    """So many days from one on."""
    return [dt.date.fromisoformat(first) + dt.timedelta(days=n) for n in range(count)]


def frame(
    template: Mapping[str, Any], changes: Mapping[dt.date, Change], rows_per_day: int = 1
) -> pd.DataFrame:
    """Healthy rows for each day, each changed as said for its day; the first row only."""
    rows = []
    for day, change in changes.items():
        for n in range(rows_per_day):
            row = {"book_date": str(day), **template}
            rows.append(row | (change if n == 0 and isinstance(change, dict) else {}))
    made = pd.DataFrame(rows)
    return pd.concat([made, made.iloc[[-1]]]) if AGAIN in changes.values() else made


def changes_of(cases: Sequence[Case]) -> dict[dt.date, Change]:
    """The change of each case, on a day of its own. AGAIN is the last one's."""
    days = days_from("2024-01-01", len(cases))
    return {day: change for day, (change, _) in zip(days, cases, strict=True)}


def breaks_as_said(
    gates: Gates,
    checkpoint: str,
    frames: Mapping[str, pd.DataFrame],
    cases: Sequence[Case],
    suite: Path,
) -> None:
    """See that each case breaks its rule, and that each rule of the suite has such a case.

    Raises:
        AssertionError: not so.
    """
    days = list(changes_of(cases))
    verdicts = gates.judge(checkpoint, dict(frames), days)
    for day, (change, expected) in zip(days, cases, strict=True):
        broken = {(failure.expectation, failure.column) for failure in verdicts[day].failures}
        assert (expected in broken) if expected else not broken, (change, broken)
    rules = json.loads(suite.read_text())["expectations"]
    named = [
        (rule["type"], rule["kwargs"].get("column") or rule["kwargs"]["column_A"]) for rule in rules
    ]
    assert len(named) == len(set(named))
    assert set(named) == {expected for _, expected in cases if expected}
    assert all("mostly" not in rule["kwargs"] for rule in rules)
