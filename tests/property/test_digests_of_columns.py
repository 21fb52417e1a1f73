"""The digest of rows is what its definition says, in whatever order a store gives them."""

import datetime as dt
import hashlib
import math
import struct
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.books.digests import DAY, DigestMemory, digests_of

MONDAY, TUESDAY = dt.date(2024, 3, 4), dt.date(2024, 3, 5)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
VALUES = {
    "_record_id": (pa.string(), st.sampled_from(["", "a", "b", "é", "z"])),
    "text": (pa.string(), st.text(st.characters(exclude_categories=["Cs"]), max_size=5)),
    "int": (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    "bigint": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "double": (pa.float64(), st.floats() | st.sampled_from([0.0, -0.0])),
    "flag": (pa.bool_(), st.booleans()),
    "day": (pa.date32(), st.dates()),
    "moment": (
        pa.timestamp("us", "UTC"),
        st.datetimes(dt.datetime(1, 1, 2), timezones=st.just(dt.UTC)),  # noqa: DTZ001
    ),
    "money": (pa.decimal128(15, 2), st.decimals(-(10**12), 10**12, places=2)),
}
SCHEMA = pa.schema([(DAY, pa.date32()), *((name, kind) for name, (kind, _) in VALUES.items())])
rows = st.fixed_dictionaries(
    {name: st.none() | values for name, (_, values) in VALUES.items()}
    | {DAY: st.sampled_from([MONDAY, TUESDAY])}
)


def number(value: Any) -> int:
    """What is written of a value that is no text."""
    match value:
        case None:
            return 0
        case float():
            read = math.nan if math.isnan(value) else value
            return int.from_bytes(struct.pack("<d", read), "little", signed=True)
        case dt.datetime():
            return (value - EPOCH) // dt.timedelta(microseconds=1)
        case dt.date():
            return (value - EPOCH.date()).days
        case Decimal():
            return int(value.scaleb(2))
    return int(value)


def written(name: str, values: list[Any]) -> bytes:
    filled = bytes(value is not None for value in values)
    if VALUES[name][0] == pa.string():
        texts = [(value or "").encode() for value in values]
        return filled + b"".join(struct.pack("<i", len(t)) for t in texts) + b"".join(texts)
    width = {"int": 4, "day": 4, "flag": 1, "money": 16}.get(name, 8)
    return filled + b"".join(number(v).to_bytes(width, "little", signed=True) for v in values)


def defined(some: list[dict[str, Any]]) -> str:
    def place(row: dict[str, Any]) -> list[tuple[bool, Any]]:
        texts = {n: row[n].encode() if isinstance(row[n], str) else number(row[n]) for n in VALUES}
        return [(row[n] is None, b"" if row[n] is None else texts[n]) for n in VALUES]

    if not some:
        return hashlib.sha256().hexdigest()
    ordered = sorted(some, key=place)
    lines = [f"{len(some)} rows\n"]
    for name, (kind, _) in VALUES.items():
        data = written(name, [row[name] for row in ordered])
        lines.append(f"{name} {kind} {hashlib.sha256(data).hexdigest()}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@settings(max_examples=200)
@given(some=st.lists(rows, max_size=12), data=st.data())
def test_a_digest_is_what_its_definition_says(some: list[dict[str, Any]], data: Any) -> None:
    given_as = data.draw(st.permutations(some))
    parts = [pa.Table.from_pylist(given_as[at : at + 5], SCHEMA) for at in range(0, 15, 5)]

    found = digests_of(pa.concat_tables(parts), [MONDAY, TUESDAY])

    for day in (MONDAY, TUESDAY):
        assert found[day] == defined([row for row in some if row[DAY] == day])


@settings(max_examples=100)
@given(some=st.lists(rows, max_size=8), fewer=st.sets(st.sampled_from([*VALUES][1:])))
def test_what_was_hashed_serves_for_fewer_columns(
    some: list[dict[str, Any]], fewer: set[str]
) -> None:
    """Where it does not, as a record id stands twice, the rows are asked for again."""
    table = pa.Table.from_pylist(some, SCHEMA)
    memory, asked = DigestMemory(), []

    def asks(days: Any, content: Any) -> pa.Table:
        asked.append(content)
        return table.select([DAY, *content])

    names = [name for name in VALUES if name == "_record_id" or name in fewer]
    for wanted in ([*VALUES], names):
        found = memory.digests(asks, {MONDAY: "state"}, wanted, wanted)
        assert found == digests_of(table.select([DAY, *wanted]), [MONDAY])
    ids = [row["_record_id"] for row in some if row[DAY] == MONDAY]
    assert len(asked) == 1 or len({*ids}) < len(ids)

    memory.digests(asks, {MONDAY: "another"}, names, names)
    memory.digests(asks, {MONDAY: None}, names, names)
    memory.digests(asks, {MONDAY: None}, names, names)
    assert [*map(list, asked[-3:])] == [names] * 3
