"""Leaves of records: what is sealed of each, and in which order."""

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa

from clearhouse.books import Hop, Leg, Side, Totals
from clearhouse.books.measure import SPINE_SCHEMA
from clearhouse.core.merkle import leaf_hash
from clearhouse.pipeline.prove import leaf_text, leaves, tree_of

DAY = dt.date(2024, 3, 9)
RECORDS = [
    ("b", "Zürich|€1", -4590, "CHF", "00ff"),
    ("aa", "10:x", 0, "XXX", ""),
    ("b", "Zürich|€1", -4590, "CHF", "00fe"),
    ("B", "", 12_345_678_901_234, "KWD", "aa"),
]


class Store:
    """A store with these records."""

    def __init__(self, records: Sequence[tuple[str, str, int, str, str]], *names: str) -> None:
        columns = list(zip(*((DAY, *record) for record in records), strict=True))
        schema = SPINE_SCHEMA.append(pa.field("content", pa.string()))
        whole = pa.table(
            [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema
        )
        self.table = whole.select(names or schema.names)

    def totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        raise NotImplementedError

    def rows(self, days: Sequence[dt.date]) -> pa.Table:
        return self.table if list(days) == [DAY] else self.table.slice(0, 0)


def hop_of(*stores: Store) -> Hop:
    return Hop("silver → gold", tuple(Leg(Side.OUT, store) for store in stores))


def test_leaves_are_those_of_the_definition_in_order_of_record_id_and_text() -> None:
    found = leaves(hop_of(Store(RECORDS[:2]), Store(RECORDS[2:])), DAY)

    in_order = [RECORDS[n] for n in (3, 1, 2, 0)]
    assert found["_record_id"].to_pylist() == ["B", "aa", "b", "b"]
    assert found["leaf"].to_pylist() == [leaf_hash(leaf_text(*record)) for record in in_order]
    assert tree_of(found).size == 4
    assert tree_of(leaves(hop_of(Store(RECORDS)), dt.date(2024, 3, 10))).size == 0


def test_a_leaf_has_each_field_with_its_length_in_bytes() -> None:
    assert leaf_text(*RECORDS[0]) == "1:b12:Zürich|€15:-45903:CHF4:00ff".encode()


def test_stores_without_a_content_digest_have_none_in_the_leaf() -> None:
    found = leaves(hop_of(Store(RECORDS[1:2], *SPINE_SCHEMA.names)), DAY)
    assert found["leaf"].to_pylist() == [leaf_hash(leaf_text(*RECORDS[1]))]
