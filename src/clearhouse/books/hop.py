"""Hops: which store's rows stand on which side, and who is missing when they do not balance."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.books.digests import NO_ROWS, digests_asked
from clearhouse.books.measure import FIELD, SPINE_SCHEMA
from clearhouse.books.model import Digests, Entry, Measured, Side, Totals
from clearhouse.core.columnar import query
from clearhouse.core.money import Money

MAX_NAMED = 20
"""How many records a person is shown by name; the totals say how many more there are."""


class Relation(Protocol):
    """Spine rows of one store: always asked of the store itself, never remembered.

    `content` names columns of the contract that are part of a row beside the spine's.
    """

    def totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        """Totals of each of the days."""
        ...

    def digests(self, days: Sequence[dt.date], content: Sequence[str]) -> Mapping[dt.date, str]:
        """The digest of each day's rows (`books.digests`)."""
        ...

    def rows(self, days: Sequence[dt.date], content: Sequence[str] = ()) -> pa.Table:
        """The rows themselves: `SPINE_SCHEMA`, then the content, each as `field:<name>`."""
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
        column, before, after: for `changed`, another column than those, and its values.
        by_key: only the whole key names the record: the last part of it is not the source's id.
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
    column: str = ""
    before: str = ""
    after: str = ""
    by_key: bool = False

    @property
    def name(self) -> str:
        """How a person calls the record."""
        rest, _, last = self.record_key.rpartition("|")
        if self.by_key:
            return self.record_key if rest.strip("|") else self.record_id
        return last or self.record_id

    def __str__(self) -> str:
        name = self.name
        if self.column:
            return f"{name}: {self.column} {self.before} became {self.after}"
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
        content: gives the contract's columns that all its stores have, and that must be equal.
        names_by_key: whether only a whole key names a record.
        kept: of some days, those whose rows the stores still have: a log forgets what is old. The
            others are not measured again, and their entries stay what they are.
    """

    name: str
    legs: tuple[Leg, ...]
    certified: bool = True
    upstream: str | None = None
    content: Callable[[], Sequence[str]] = tuple
    names_by_key: bool = False
    kept: Callable[[Sequence[dt.date]], Sequence[dt.date]] = list

    def is_behind(self, entry: Entry, upstream: Entry | None) -> bool:
        """Whether an entry was made from another input than stands before it now.

        So it is while a correction is held, or until a run that was cut short is run again.
        """
        return upstream is not None and entry.key.input_hash != upstream.entry_id

    def measure(
        self, days: Sequence[dt.date], entered: Mapping[dt.date, Entry] | None = None
    ) -> dict[dt.date, Measured]:
        """What every side holds of each of the days, asked of the stores now.

        Args:
            days: which.
            entered: entries that days are held against, over the content of their digests.
        """
        found = [(leg, leg.relation.totals(days)) for leg in self.legs]
        digests: dict[dt.date, Digests] = {}
        for content, some in self._by_content(days, entered or {}).items():
            entering, leaving = (
                _digests([f for f in found if (f[0].side is Side.IN) == is_in], some, content)
                for is_in in (True, False)
            )
            digests |= {day: Digests(entering[day], leaving[day], content) for day in some}
        sides: dict[dt.date, dict[Side, Totals]] = {day: {} for day in days}
        for leg, totals in found:
            for day, of_day in sides.items():
                of_day[leg.side] = of_day.get(leg.side, Totals()) + totals[day]
        return {day: Measured(sides[day], digests[day]) for day in days}

    def _by_content(
        self, days: Iterable[dt.date], entered: Mapping[dt.date, Entry]
    ) -> dict[tuple[str, ...], list[dt.date]]:
        known = {d: e.digests.content for d, e in entered.items() if e.digests.leaving}
        now = tuple(self.content()) if set(days) - known.keys() else ()
        found: dict[tuple[str, ...], list[dt.date]] = {}
        for day in days:
            found.setdefault(known.get(day, now), []).append(day)
        return found

    def name_differences(self, day: dt.date, content: Sequence[str] = ()) -> list[Named]:
        """The records by which a day's `in` differs from its other sides, worst first."""
        entering = _rows(self.legs, day, content, entering=True)
        leaving = _rows(self.legs, day, content, entering=False)
        answer = query(_DIFFERENCES, entering=entering, leaving=leaving)
        named = [Named(**row) for row in answer.to_pylist()]
        named += _changed(entering, leaving, {each.record_id for each in named})
        return [replace(each, by_key=self.names_by_key) for each in named]


def _digests(
    measured: Sequence[tuple[Leg, Mapping[dt.date, Totals]]],
    days: Sequence[dt.date],
    content: Sequence[str],
) -> dict[dt.date, str]:
    """The digest of each day's rows on some legs, taken together.

    A store makes the digest of a day that it alone has rows of. Rows of several are merged here.
    """
    alone: dict[int, list[dt.date]] = {}
    merged: list[dt.date] = []
    found = dict.fromkeys(days, NO_ROWS if measured else "")
    for day in days:
        filled = [n for n, (_, totals) in enumerate(measured) if totals[day].records]
        if len(filled) == 1:
            alone.setdefault(filled[0], []).append(day)
        elif filled:
            merged.append(day)
    several = [leg.relation for leg, totals in measured if any(totals[d].records for d in merged)]

    def rows(some: Sequence[dt.date], content: Sequence[str]) -> pa.Table:
        return _together([relation.rows(some, content) for relation in several])

    found |= digests_asked(rows, merged, content)
    for n, some in alone.items():
        found |= measured[n][0].relation.digests(some, content)
    return found


def _rows(legs: Iterable[Leg], day: dt.date, content: Sequence[str], *, entering: bool) -> pa.Table:
    on = [leg.relation for leg in legs if (leg.side is Side.IN) == entering]
    return _together([relation.rows([day], content) for relation in on])


def _together(tables: Sequence[pa.Table]) -> pa.Table:
    # A store that is not there yet has no columns of the contract, and no rows.
    filled = [table for table in tables if len(table)] or tables[:1]
    return pa.concat_tables(filled) if filled else SPINE_SCHEMA.empty_table()


def _changed(entering: pa.Table, leaving: pa.Table, named: set[str]) -> list[Named]:
    """Other columns that records differ in. Beyond those shown, records stand without columns."""
    if entering.column_names != leaving.column_names:  # one side has no rows: all are named
        return []
    differing = query(_DIFFERING, entering=entering, leaving=leaving)["_record_id"].to_pylist()
    others = [each for each in differing if each not in named]
    found: list[Named] = []
    for record_id in others[:MAX_NAMED]:
        before, after = (
            table.filter(pc.field("_record_id") == record_id).to_pylist()[0]
            for table in (entering, leaving)
        )
        found += [
            _of_column(before, name.removeprefix(FIELD), before[name], after[name])
            for name in before
            if before[name] != after[name]
        ]
    rest = ({"_record_id": each, "_record_key": each} for each in others[MAX_NAMED:])
    return found + [_of_column(row, "", None, None) for row in rest]


def _of_column(row: Mapping[str, Any], column: str, before: object, after: object) -> Named:
    was, became = ("NULL" if value is None else f'"{value}"' for value in (before, after))
    key = row["_record_key"] or ""
    return Named(row["_record_id"], key, "changed", 0, 0, "", 0, 0, "", column, was, became)


_DIFFERING = """
    SELECT DISTINCT _record_id FROM (
        (SELECT * FROM entering EXCEPT ALL SELECT * FROM leaving)
        UNION ALL (SELECT * FROM leaving EXCEPT ALL SELECT * FROM entering)
    ) ORDER BY 1"""

_RECORDS_OF = """
    SELECT _record_id, any_value(_record_key) AS k, count(*) AS n, sum(amount_minor) AS a,
        min(currency) AS c
    FROM"""

# One row a record whose count, amount or currency differs between the two sides. A record whose
# count is right and whose amount or currency is not was changed.
_DIFFERENCES = f"""
    WITH i AS ({_RECORDS_OF} entering GROUP BY _record_id),
    o AS ({_RECORDS_OF} leaving GROUP BY _record_id)
    SELECT coalesce(i._record_id, o._record_id) AS record_id, coalesce(i.k, o.k) AS record_key,
        CASE WHEN o.n IS NULL THEN 'missing' WHEN i.n IS NULL THEN 'invented'
            WHEN o.n > i.n THEN 'doubled' WHEN o.n < i.n THEN 'missing' ELSE 'changed' END AS kind,
        (coalesce(o.n, 0) - coalesce(i.n, 0))::BIGINT AS records,
        (coalesce(o.a, 0) - coalesce(i.a, 0))::BIGINT AS minor,
        CASE WHEN i.n IS NULL THEN o.c ELSE coalesce(i.c, 'XXX') END AS currency,
        CASE WHEN o.n IS NULL THEN i.c ELSE coalesce(o.c, 'XXX') END AS currency_out,
        coalesce(i.a, 0)::BIGINT AS amount_in, coalesce(o.a, 0)::BIGINT AS amount_out
    FROM i FULL OUTER JOIN o USING (_record_id)
    WHERE i.n IS DISTINCT FROM o.n OR i.a IS DISTINCT FROM o.a OR i.c IS DISTINCT FROM o.c
    ORDER BY abs(records) DESC, abs(minor) DESC, record_key, record_id"""
