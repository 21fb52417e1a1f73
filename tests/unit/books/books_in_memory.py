"""Stores for tests of the books: spine rows in an Arrow table, asked anew every time."""

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa

from clearhouse.books.digests import digests_of
from clearhouse.books.hop import Hop, Leg
from clearhouse.books.measure import FIELD, SPINE_SCHEMA, filled, totals_of
from clearhouse.books.model import EntryKey, Side, Totals

DAY = dt.date(2024, 3, 9)
NEXT = dt.date(2024, 3, 10)
Record = tuple[str, int, str]


class MemoryStore:
    """A store that holds the records it was given, as (record id, amount_minor, currency)."""

    def __init__(self, *records: Record, day: dt.date = DAY) -> None:
        self.by_day = {day: list(records)}
        self.content: dict[tuple[str, str], str | None] = {}

    def put(self, *records: Record, day: dt.date = DAY) -> None:
        """Replace a day."""
        self.by_day[day] = list(records)

    def totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        """See `Relation`."""
        return filled(totals_of(self.rows(days)), days)

    def digests(self, days: Sequence[dt.date], content: Sequence[str]) -> Mapping[dt.date, str]:
        """See `Relation`."""
        return digests_of(self.rows(days, content), days)

    def rows(self, days: Sequence[dt.date], content: Sequence[str] = ()) -> pa.Table:
        """See `Relation`."""
        found = [
            {
                "_book_date": day,
                "_record_id": record_id,
                "_record_key": f"{day}|{record_id}",
                "amount_minor": minor,
                "currency": currency,
            }
            for day in days
            for record_id, minor, currency in self.by_day.get(day, [])
        ]
        rows = pa.Table.from_pylist(found, SPINE_SCHEMA)
        for name in content:
            values = [self.content.get((row["_record_id"], name), "") for row in found]
            rows = rows.append_column(FIELD + name, pa.array(values, pa.string()))
        return rows


def hop_between(
    entering: MemoryStore, *, content: Sequence[str] = (), **leaving: MemoryStore
) -> Hop:
    """A hop from one store to others, each named by the side it stands on."""
    legs = (Leg(Side(side), store) for side, store in leaving.items())
    return Hop("silver → gold", (Leg(Side.IN, entering), *legs), content=lambda: content)


def key_of(day: dt.date = DAY, *, code: str = "code", hop: str = "silver → gold") -> EntryKey:
    """The key of an entry of a day."""
    return EntryKey("bnpl", hop, day, "input", code)


def totals(records: int, minor: int = 0, *, hash_sum: int = 0) -> Totals:
    """Totals with an amount in US cents."""
    return Totals({"records": records, "hash": hash_sum, "minor:USD": minor})
