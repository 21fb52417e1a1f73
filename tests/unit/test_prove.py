"""Leaves of records: what is sealed of each, and in which order."""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from typing import Any, cast

import pyarrow as pa

from clearhouse.books import Hop, Leg, Side
from clearhouse.books.measure import SPINE_SCHEMA
from clearhouse.core.merkle import leaf_hash
from clearhouse.pipeline.prove import leaf_text, leaves, tree_of

DAY = dt.date(2024, 3, 9)
RECORDS = [
    ("b", "Zürich|€1", -4590, "CHF", "paid"),
    ("aa", "10:x", 0, "XXX", ""),
    ("b", "Zürich|€1", -4590, "CHF", None),
    ("B", "", 12_345_678_901_234, "KWD", '"owed"'),
]


class Store:
    """A store with these records, whose contract has a column `status`."""

    def __init__(self, records: Sequence[tuple[str, str, int, str, str | None]]) -> None:
        columns = list(zip(*((DAY, *record) for record in records), strict=True))
        schema = SPINE_SCHEMA.append(pa.field("field:status", pa.string()))
        self.table = pa.table(
            [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema
        )

    def rows(self, days: Sequence[dt.date], content: Sequence[str] = ()) -> pa.Table:
        names = [*SPINE_SCHEMA.names, *(f"field:{name}" for name in content)]
        rows = self.table if list(days) == [DAY] else self.table.slice(0, 0)
        return rows.select(names)


def hop_of(*stores: Store, content: Sequence[str] = ("status",)) -> Hop:
    legs: Any = tuple(Leg(Side.OUT, cast("Any", store)) for store in stores)
    return Hop("silver → gold", legs, content=lambda: content)


def leaf_of(*record: Any) -> bytes:
    """A leaf by its definition: the content is the digest of the row's line."""
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
    return leaf_hash(leaf_text(*record[:4], hashlib.sha256(line.encode()).hexdigest()))


def test_leaves_are_those_of_the_definition_in_order_of_record_id_and_text() -> None:
    found = leaves(hop_of(Store(RECORDS[:2]), Store(RECORDS[2:])), DAY)

    assert found["_record_id"].to_pylist() == ["B", "aa", "b", "b"]
    leaf_hashes = [leaf_of(*record) for record in RECORDS]
    assert found["leaf"].to_pylist()[:2] == [leaf_hashes[3], leaf_hashes[1]]
    assert set(found["leaf"].to_pylist()[2:]) == {leaf_hashes[0], leaf_hashes[2]}
    again = leaves(hop_of(Store(RECORDS[::-1])), DAY)
    assert again["leaf"].to_pylist() == found["leaf"].to_pylist()
    assert tree_of(found).size == 4
    assert tree_of(leaves(hop_of(Store(RECORDS)), dt.date(2024, 3, 10))).size == 0


def test_a_leaf_has_each_field_with_its_length_in_bytes() -> None:
    leaf = leaf_text("b", "Zürich|€1", -4590, "CHF", "00ff")
    assert leaf == "1:b12:Zürich|€15:-45903:CHF4:00ff".encode()


def test_a_hop_that_compares_no_columns_has_no_content_in_the_leaf() -> None:
    found = leaves(hop_of(Store(RECORDS[:1]), content=()), DAY)
    assert found["leaf"].to_pylist() == [leaf_hash(leaf_text(*RECORDS[0][:4], ""))]
