"""What was measured of an engine's rows counts until they change, or others are meant."""

import datetime as dt
from collections.abc import Hashable, Sequence
from typing import Any, cast

import pyarrow as pa
import pytest

from clearhouse.core.columnar import DuckDBDialect, query
from clearhouse.engines.engine import Engine, EngineSpine

DAYS = [dt.date(2024, 3, day) for day in (9, 10, 11)]
SPINE = (
    "r._book_date, r._record_id, r._record_id AS _record_key, r.amount AS amount_minor, r.currency"
)


class Rows:
    """An engine with one relation: two entries of three days."""

    dialect = DuckDBDialect()

    def __init__(self, state: Hashable | None) -> None:
        self.kept = state
        self.asked = 0
        self.hashed = 0
        self.amounts = {"e1": 1, "e2": 2}

    def state(self, relation: str) -> Hashable | None:
        return self.kept

    def query_of(self, relation: str, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        self.asked += 1
        self.hashed += "_record_key" in sql and "sum(" not in sql
        rows = [
            {"_book_date": day, "_record_id": str(day), "amount": amount, "currency": "USD",
             "entry": entry, "booth": "north"}
            for day in DAYS for entry, amount in self.amounts.items()
        ]  # fmt: skip
        return query(sql, fact=pa.Table.from_pylist(rows))


def spine(rows: Rows, entry: list[str]) -> EngineSpine:
    def source(of_days: str, days: Any) -> str:
        return f"fact r WHERE {of_days} AND r.entry = '{entry[0]}'"

    fields = pa.schema([("booth", pa.string())])
    return EngineSpine(cast("Engine", rows), "gold.fact", SPINE, fields, source)


@pytest.mark.parametrize("state", ["files", None])
def test_rows_are_hashed_once_until_other_entries_are_meant(state: str | None) -> None:
    rows, entry = Rows(state), ["e1"]
    measured = spine(rows, entry)

    first = measured.digests(DAYS, ["booth"])
    assert measured.digests(DAYS, ["booth"]) == first
    assert measured.digests(DAYS, []) == spine(Rows(state), entry).digests(DAYS, [])
    assert rows.hashed == 1

    entry[0] = "e2"
    assert measured.digests(DAYS, ["booth"]) == spine(Rows(state), entry).digests(DAYS, ["booth"])
    assert measured.digests(DAYS, ["booth"]) != first


@pytest.mark.parametrize("state", ["files", None])
def test_rows_that_changed_are_hashed_again(state: str | None) -> None:
    rows, entry = Rows(state), ["e1"]
    measured = spine(rows, entry)
    first = measured.digests(DAYS, ["booth"])

    rows.amounts["e1"] = 3
    rows.kept = state and "other files"

    assert measured.digests(DAYS, ["booth"]).keys() == first.keys()
    assert not {*measured.digests(DAYS, ["booth"]).values()} & {*first.values()}


def test_what_was_measured_of_the_same_rows_counts_for_another_side() -> None:
    rows, entry, other = Rows("files"), ["e1"], ["e1"]
    measured = spine(rows, entry)
    side = measured.of_source(spine(rows, other).source)
    totals, _ = measured.totals(DAYS), measured.digests(DAYS, ["booth"])
    asked = rows.asked

    assert side.totals(DAYS) == totals
    assert side.digests(DAYS, []) == spine(Rows("files"), entry).digests(DAYS, [])
    assert rows.asked == asked

    other[0] = "e2"
    assert side.totals(DAYS) != totals
    assert side.digests(DAYS, []) == spine(Rows("files"), other).digests(DAYS, [])
    hashed = rows.hashed
    measured.digests(DAYS, ["booth"])
    assert rows.hashed == hashed  # fewer columns of other rows are not kept in their place
