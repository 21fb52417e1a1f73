"""Bronze tables hold what was written last, and not all that was ever written."""

import datetime as dt
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clearhouse.lake import expiry
from clearhouse.lake.iceberg import Lake

TABLE = "shop.sales"
FIRST, SECOND = dt.date(2024, 1, 1), dt.date(2024, 1, 2)
VERSIONS = 6


def rows(day: dt.date, *amounts: int) -> pa.Table:
    dates = pa.array([day] * len(amounts), pa.date32())
    return pa.table({"amount_minor": pa.array(amounts, pa.int64()), "_book_date": dates})


def amounts(lake: Lake, *days: dt.date) -> list[int]:
    files = lake.files(TABLE, days or None)
    return sorted(n for file in files for n in pq.read_table(file)["amount_minor"].to_pylist())


def test_a_day_that_is_replaced_again_and_again_takes_the_room_of_its_last_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened() -> Lake:
        return Lake(f"sqlite:///{tmp_path / 'catalog.db'}", tmp_path / "bronze")

    monkeypatch.setattr(expiry, "_AT_ONCE", VERSIONS)
    lake = opened()
    lake.replace_days(TABLE, rows(FIRST, 1, 2), {FIRST: "first"})
    for version in range(VERSIONS):
        lake.replace_days(TABLE, rows(SECOND, version), {SECOND: f"second {version}"})
    assert len([*tmp_path.rglob("*.parquet")]) == 1 + VERSIONS

    two_days_later = time.time() + 2 * 24 * 3600
    monkeypatch.setattr(time, "time", lambda: two_days_later)
    opened().replace_days(TABLE, rows(SECOND, 7, 8), {SECOND: "second, at last"})

    lake = opened()
    assert lake.entries(TABLE) == {FIRST: "first", SECOND: "second, at last"}
    assert (amounts(lake), amounts(lake, FIRST)) == ([1, 2, 7, 8], [1, 2])
    on_disk = {str(path) for path in tmp_path.rglob("*.parquet")}
    assert on_disk == {*lake.files(TABLE)}
    lists = [*tmp_path.rglob("snap-*.avro")]
    assert len(lists) < VERSIONS

    lake.replace_days(TABLE, rows(FIRST, 9), {FIRST: "first again"})
    assert lake.entries(TABLE) == {FIRST: "first again", SECOND: "second, at last"}
    assert amounts(lake) == [7, 8, 9]
