"""Which visible rows readers must not see: found alike for one day and for all of them."""

import datetime as dt
from collections import Counter
from types import SimpleNamespace
from typing import cast

import pyarrow as pa
import pytest

from clearhouse.core.columnar import DuckDBDialect, query
from clearhouse.pipeline.standing import Judge, ReadersSides, Standing

DAYS = [dt.date(2024, 3, day) for day in (9, 10, 11)]
VISIBLE = dict(zip(DAYS, ("e1", "e2", "e3"), strict=True))
ROWS = [
    ("e1", "once", "v1"), ("e1", "again", "v1"), ("e1", "corrected", "v1"), ("e1", "rebuilt", "v1"),
    ("e2", "again", "v1"), ("e2", "corrected", "v2"),
    ("e3", "again", "v1"), ("e3", "corrected", "v1"),
    ("e2", "twice", "v1"), ("e3", "twice", "v1"),
    ("before e1", "rebuilt", "v0"), ("before e1", "once", "v1"),
]  # fmt: skip


@pytest.fixture(params=[False, True], ids=["each new version", "restated"])
def sides(request: pytest.FixtureRequest) -> ReadersSides:
    found = {day: Standing(entry, None) for day, entry in VISIBLE.items()}
    judge = cast("Judge", SimpleNamespace(standing=lambda: found))
    return ReadersSides("fact", DuckDBDialect(), judge, restated=request.param)


def hidden(sides: ReadersSides, days: list[dt.date]) -> Counter[tuple[str, str, str]]:
    day_of = {entry: day for day, entry in VISIBLE.items()}
    fact = [
        {"_entry_id": entry, "_book_date": day_of[entry.removeprefix("before ")],
         "_record_key": key, "_record_id": f"{key} {version}"}
        for entry, key, version in ROWS
    ]  # fmt: skip
    listed = ", ".join(f"DATE '{day}'" for day in days)
    source = sides.hidden(f"r._book_date IN ({listed})", days)
    answer = query(f"SELECT r.* FROM {source}", fact=pa.Table.from_pylist(fact))
    return Counter((r["_entry_id"], r["_record_id"], r["side"]) for r in answer.to_pylist())


def test_all_days_hide_what_each_of_them_does(sides: ReadersSides) -> None:
    every = hidden(sides, DAYS)

    assert every == sum((hidden(sides, [day]) for day in DAYS), Counter())
    assert every[("e2", "again v1", "duplicate")] == every[("e3", "again v1", "duplicate")] == 1
    assert not any("once" in record or "rebuilt" in record for _, record, _ in every)


def test_keys_of_all_days_are_not_looked_for(sides: ReadersSides) -> None:
    assert sides.hidden("true", DAYS).count("'e1'") == 1  # among what is visible
    assert sides.hidden("true", DAYS[:1]).count("'e1'") == 2
