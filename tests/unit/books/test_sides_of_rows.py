"""The sides of a hop that are read together: a measure is one reading, the next a fresh one."""

import datetime as dt
from collections.abc import Sequence

import pyarrow as pa
import pytest

from clearhouse.books.hop import Hop
from clearhouse.books.measure import SPINE_SCHEMA
from clearhouse.books.model import RECORDS, Side
from clearhouse.core.errors import StoreError
from clearhouse.pipeline.rows_spine import RowsSpine, SidesOfRows, SidesRead

MONDAY, TUESDAY = dt.date(2026, 3, 9), dt.date(2026, 3, 10)


class Stores:
    """Two stores of the same records, which can lose one and fail."""

    def __init__(self) -> None:
        self.ids = ["a", "b"]
        self.lost: set[str] = set()
        self.is_down = False
        self.readings = 0

    def read(self, days: Sequence[dt.date]) -> SidesRead:
        if self.is_down:
            raise StoreError("The store is down.", "store_down")
        self.readings += 1
        left = [each for each in self.ids if each not in self.lost]
        return {Side.IN: _rows(days, self.ids), Side.OUT: _rows(days, left)}


def _rows(days: Sequence[dt.date], ids: Sequence[str]) -> pa.Table:
    rows = [(day, each, each, 0, "XXX") for day in days for each in ids]
    columns = zip(*rows, strict=True)
    arrays = [pa.array(c, field.type) for c, field in zip(columns, SPINE_SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SPINE_SCHEMA)


@pytest.fixture
def stores() -> Stores:
    return Stores()


@pytest.fixture
def hop(stores: Stores) -> Hop:
    return Hop("here → there", SidesOfRows(stores.read).legs([Side.IN, Side.OUT]))


def test_a_measure_is_one_reading_and_the_next_is_another(stores: Stores, hop: Hop) -> None:
    assert hop.measure([MONDAY])[MONDAY].balances
    assert stores.readings == 1

    stores.lost = {"b"}

    assert not hop.measure([MONDAY])[MONDAY].balances
    assert stores.readings == 2
    assert [each.record_id for each in hop.name_differences(MONDAY)] == ["b"]


def test_other_days_are_another_reading(stores: Stores, hop: Hop) -> None:
    hop.legs[0].relation.totals([MONDAY])

    measured = hop.legs[1].relation.totals([MONDAY, TUESDAY])

    assert [measured[day].measures[RECORDS] for day in (MONDAY, TUESDAY)] == [2, 2]
    assert stores.readings == 2


def test_nothing_is_left_of_a_reading_before_one_that_failed(stores: Stores, hop: Hop) -> None:
    hop.legs[0].relation.totals([MONDAY])  # the other side is not asked for
    stores.is_down = True
    with pytest.raises(StoreError):
        hop.measure([MONDAY])

    with pytest.raises(StoreError):
        hop.legs[1].relation.totals([MONDAY])


def test_the_digests_of_a_measure_are_of_its_reading_and_of_the_days_asked_for() -> None:
    ids = ["a"]
    spine = RowsSpine(lambda days: _rows(days, ids))
    spine.totals([MONDAY, TUESDAY])
    ids.append("b")

    digests = spine.digests([TUESDAY], ())

    assert digests == RowsSpine(lambda days: _rows(days, ["a"])).digests([TUESDAY], ())
    both = RowsSpine(lambda days: _rows(days, ids)).digests([MONDAY], ())
    assert spine.digests([MONDAY], ()) == both  # it is another reading


def test_of_days_that_a_measure_did_not_read_the_rows_are_read_then() -> None:
    measured, other = (RowsSpine(lambda days: _rows(days, ["a"])) for _ in range(2))
    measured.totals([MONDAY])
    assert measured.digests([TUESDAY], ()) == other.digests([TUESDAY], ())
