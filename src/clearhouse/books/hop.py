"""Hops: which store's rows stand on which side, and who is missing when they do not balance."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from clearhouse.books.measure import SPINE_SCHEMA
from clearhouse.books.model import Entry, Side, Totals
from clearhouse.core.columnar import query
from clearhouse.core.money import Money

MAX_NAMED = 20
"""How many records a person is shown by name; the totals say how many more there are."""


class Relation(Protocol):
    """Spine rows of one store: always asked of the store itself, never remembered."""

    def totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        """Totals of each of the days."""
        ...

    def rows(self, days: Sequence[dt.date]) -> pa.Table:
        """The rows themselves, as `SPINE_SCHEMA`."""
        ...


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a hop and the rows that stand on it."""

    side: Side
    relation: Relation


@dataclass(frozen=True, slots=True)
class Named:
    """A record by which two stores differ.

    Attributes:
        kind: `missing`, `doubled`, `changed` or `invented`.
        records, minor: what came out too much, or, negative, is missing.
        currency: the currency before, or the only one there is.
        amount_in, amount_out: for `changed`, the amount before and after.
        currency_out: the currency after, where that was changed too.
    """

    record_id: str
    record_key: str
    kind: str
    records: int
    minor: int
    currency: str
    amount_in: int
    amount_out: int
    currency_out: str

    def __str__(self) -> str:
        name = self.record_key.rsplit("|", 1)[-1] or self.record_id
        if self.kind == "changed":
            before = Money(self.amount_in, self.currency)
            after = Money(self.amount_out, self.currency_out)
            return f"{name}: {before} became {after}"
        shown = str(Money(abs(self.minor), self.currency))
        plural = "" if abs(self.records) == 1 else "s"
        return (
            f"{_sign(self.records)}{abs(self.records)} record{plural}, "
            f"{_sign(self.minor)}{shown}: {name}"
        )


def _sign(value: int) -> str:
    return "−" if value < 0 else "+" if value else ""


@dataclass(frozen=True)
class Hop:
    """One hop of a domain's spine.

    Attributes:
        name: `<from> → <to>`.
        legs: what stands on which side. Without an `in` leg nothing is balanced against.
        upstream: the hop before, where an entry's input is the entry id of that one. What was made
            from an earlier entry than the current one is not held against the current one's rows.
        certified: whether the hop is a function of its day's arrivals alone, and so part of the
            day's certificate. (What readers see of a day moves with later corrections.)
    """

    name: str
    legs: tuple[Leg, ...]
    certified: bool = True
    upstream: str | None = None

    def is_behind(self, entry: Entry, upstream: Entry | None) -> bool:
        """Whether an entry was made from another input than stands before it now.

        So it is while a correction is held, or until a run that was cut short is run again.
        """
        return upstream is not None and entry.key.input_hash != upstream.entry_id

    def measure(self, days: Sequence[dt.date]) -> dict[dt.date, dict[Side, Totals]]:
        """Every side's totals for each of the days, asked of the stores now."""
        found: dict[dt.date, dict[Side, Totals]] = {day: {} for day in days}
        for leg in self.legs:
            for day, totals in leg.relation.totals(days).items():
                sides = found[day]
                sides[leg.side] = sides.get(leg.side, Totals()) + totals
        return found

    def name_differences(self, day: dt.date) -> list[Named]:
        """The records by which a day's `in` differs from its other sides, worst first."""
        entering = _rows(self.legs, day, entering=True)
        leaving = _rows(self.legs, day, entering=False)
        answer = query(_DIFFERENCES, entering=entering, leaving=leaving)
        return [Named(**row) for row in answer.to_pylist()]


def _rows(legs: Iterable[Leg], day: dt.date, *, entering: bool) -> pa.Table:
    tables = [leg.relation.rows([day]) for leg in legs if (leg.side is Side.IN) == entering]
    return pa.concat_tables(tables) if tables else SPINE_SCHEMA.empty_table()


# One row a record whose count, amount or currency differs between the two sides. A record whose
# count is right and whose amount or currency is not was changed.
_DIFFERENCES = """
    WITH i AS (
        SELECT _record_id, any_value(_record_key) AS k, count(*) AS n, sum(amount_minor) AS a,
            min(currency) AS c
        FROM entering GROUP BY _record_id
    ),
    o AS (
        SELECT _record_id, any_value(_record_key) AS k, count(*) AS n, sum(amount_minor) AS a,
            min(currency) AS c
        FROM leaving GROUP BY _record_id
    )
    SELECT coalesce(i._record_id, o._record_id) AS record_id, coalesce(i.k, o.k) AS record_key,
        CASE WHEN o.n IS NULL THEN 'missing' WHEN i.n IS NULL THEN 'invented'
            WHEN o.n > i.n THEN 'doubled' WHEN o.n < i.n THEN 'missing' ELSE 'changed' END AS kind,
        (coalesce(o.n, 0) - coalesce(i.n, 0))::BIGINT AS records,
        (coalesce(o.a, 0) - coalesce(i.a, 0))::BIGINT AS minor,
        coalesce(i.c, o.c) AS currency, coalesce(o.c, i.c) AS currency_out,
        coalesce(i.a, 0)::BIGINT AS amount_in, coalesce(o.a, 0)::BIGINT AS amount_out
    FROM i FULL OUTER JOIN o USING (_record_id)
    WHERE i.n IS DISTINCT FROM o.n OR i.a IS DISTINCT FROM o.a OR i.c IS DISTINCT FROM o.c
    ORDER BY abs(records) DESC, abs(minor) DESC, record_key, record_id"""
