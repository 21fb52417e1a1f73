"""The tables of a domain and the same tables of a scratch home, held against each other.

Every column is compared. None is volatile: rows carry entry ids, which follow from what landed and
from the code, and no run ids and no times of work, which stand in the books and in manifests.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import duckdb
import pyarrow as pa

from clearhouse.core.columnar import dates, query
from clearhouse.core.errors import StoreError, first_line
from clearhouse.engines.engine import Ask
from clearhouse.pipeline import ops
from clearhouse.pipeline.bronze import bronze_rows
from clearhouse.pipeline.compare import SPINE_NAMES, Differences, differences
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.domain import Derived
from clearhouse.pipeline.serve import derived_tables

_QUARANTINE = ("book_date", "record_id")
_DAYS_AT_ONCE = 31
"""Rows of so many days are in memory at a time, twice."""


@dataclass(frozen=True)
class Compared:
    """A table that was compared, with what differs in it."""

    table: str
    differences: Sequence[Differences]

    @classmethod
    def of_one(cls, table: str, day: dt.date | None, sentence: str) -> Self:
        """A table of which one thing is to be said."""
        return cls(table, [Differences(day, (sentence,), 1)])


@dataclass(frozen=True)
class Pair:
    """A dataset in the real stores, and in those of a scratch home."""

    run: Run
    scratch: Run
    dataset: OpenDataset


def compare_spine(
    pair: Pair,
    bronze: Sequence[dt.date],
    silver: Sequence[dt.date],
    gold: Mapping[dt.date, str],
) -> Iterator[Compared]:
    """Compare bronze and quarantine, silver, and gold entries of some days."""
    run, scratch, dataset = pair.run, pair.scratch, pair.dataset
    for days in _pieces(bronze):
        yield _compared(
            dataset.bronze,
            bronze_rows(scratch, dataset, days),
            partial(bronze_rows, run, dataset, days),
            SPINE_NAMES,
        )
        yield _compared(
            "quarantine",
            scratch.quarantine.every_column(dataset.id, days),
            partial(run.quarantine.every_column, dataset.id, days),
            _QUARANTINE,
        )
    for days in _pieces(silver):
        table = dataset.declared.silver
        derived = scratch.engine.query(f"SELECT * FROM {table} WHERE {_on(run, days)}")
        ids = _texts(run, derived["_entry_id"].unique().to_pylist())
        where = f"{_on(run, days)} OR _entry_id IN ({ids})"
        yield _compared(
            table, derived, _ask(run.engine.query_of, table, derived, where), SPINE_NAMES
        )
    for days in _pieces(sorted(gold)):
        table = dataset.declared.gold
        ids = _texts(run, [gold[day] for day in days])
        derived = scratch.engine.query(f"SELECT * FROM {table} WHERE _entry_id IN ({ids})")
        # Earlier entries of a day stay beside the last one; an entry that no books know is none.
        hop = dataset.names.gold
        known = {e.entry_id for day in days for e in run.books.history(run.name, hop, day)}
        unknown = f"coalesce(_entry_id, '') NOT IN ({_texts(run, sorted(known))})"
        where = f"_entry_id IN ({ids}) OR ({_on(run, days)} AND {unknown})"
        yield _compared(
            table, derived, _ask(run.engine.query_of, table, derived, where), SPINE_NAMES
        )


def compare_published(pair: Pair, days: Sequence[dt.date]) -> Iterator[Compared]:
    """Compare what readers see of days, and the derived rows of the entities that they touch."""
    run, scratch, dataset = pair.run, pair.scratch, pair.dataset
    declared = dataset.declared
    readers = run.engine.query_readers
    # A view whose rows are of no day is a query over derived tables: these are compared below, and
    # the books hold its text against the one that was built.
    views = [view for view in declared.views if "_book_date" in scratch.engine.columns(view)]
    for some in _pieces(days):
        pointers = ops.applied_pointers(scratch.engine, dataset.id)
        published = f"_entry_id IN ({_texts(run, [pointers[day] for day in some])})"
        for relation in (declared.gold, declared.readers, *views):
            where = published if relation == declared.gold else _on(run, some)
            derived = scratch.engine.query(f"SELECT * FROM {relation} WHERE {where}")
            stored = _ask(readers, relation, derived, _on(run, some))
            yield _compared(_of_readers(relation), derived, stored, SPINE_NAMES)
    for table in derived_tables(declared, dataset.id):
        yield from _compare_derived(pair, table, days)


def _compare_derived(pair: Pair, table: Derived, days: Sequence[dt.date]) -> Iterator[Compared]:
    """The rows of what the days touch, and those that follow from no published row at all."""
    run, scratch = pair.run, pair.scratch
    derived = scratch.engine.query(f"SELECT * FROM next.{table.name}")
    where, touched = "true", None
    parameters: list[object] = []
    if table.key == "_book_date":
        others = sorted(run.publications.pointers(pair.dataset.id).keys() - {*days})
        where = f"NOT ({_on(run, others)})" if others else where
    else:
        known_in = table.entities_in or f"gold.{pair.dataset.declared.published}"
        touched = _Touched(
            table,
            scratch.engine.query(f"SELECT * FROM {table.touched}"),
            scratch.engine.query(
                f"SELECT DISTINCT {table.entity or table.key} AS {table.key} FROM {known_in}"
            ),
        )
        if table.at:
            earliest = query("SELECT min(touched_from) AS at FROM rows", rows=touched.rows)
            where, parameters = f"{table.at} >= $1", earliest["at"].to_pylist()
    names = _names(table, derived.column_names)
    asks = {table.served: (run.engine.query_of, run.engine.table_of(table.served))}
    if not table.is_internal:
        asks[_of_readers(table.served)] = (run.engine.query_readers, table.served)
    for name, (ask, relation) in asks.items():
        rows = _ask(ask, relation, derived, where, parameters)
        yield _compared(name, derived, partial(touched.of, rows) if touched else rows, names)


def _names(table: Derived, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns that tell rows of a derived table apart."""
    if set(SPINE_NAMES) <= set(columns):
        return SPINE_NAMES
    grain = table.grain or (table.key, table.at, table.part)
    return tuple(dict.fromkeys(name for name in grain if name in columns))


@dataclass(frozen=True)
class _Touched:
    """The entities whose rows of a derived table are compared, and all that there are."""

    table: Derived
    rows: pa.Table
    known: pa.Table

    def of(self, ask: Callable[[], pa.Table]) -> pa.Table:
        """The rows of touched entities, from the moment on from which they are, and of none."""
        key, at = self.table.key, self.table.at
        since = f"AND touched.touched_from <= rows.{at}" if at else ""
        return query(
            f"""SELECT rows.* FROM rows
            WHERE EXISTS (SELECT 1 FROM touched WHERE touched.{key} = rows.{key} {since})
                OR NOT EXISTS (SELECT 1 FROM known WHERE known.{key} = rows.{key})""",
            rows=ask(),
            touched=self.rows,
            known=self.known,
        )


def _compared(
    table: str, derived: pa.Table, stored: Callable[[], pa.Table], names: Sequence[str]
) -> Compared:
    try:
        rows = stored()
    except (duckdb.Error, OSError, StoreError) as error:  # a file is gone or cut, a column gone
        reason = first_line(error)
        return Compared.of_one(table, None, f"it can't be read ({reason})")
    return Compared(table, differences(derived, rows, names))


def _ask(
    ask: Ask, relation: str, derived: pa.Table, where: str, parameters: Sequence[object] = ()
) -> Callable[[], pa.Table]:
    """Asks for rows of a relation; where it is not there, there are none."""

    def rows() -> pa.Table:
        found = ask(relation, f"SELECT * FROM {relation} WHERE {where}", parameters)
        return derived.schema.empty_table() if found is None else found

    return rows


def _pieces(days: Sequence[dt.date]) -> Iterator[Sequence[dt.date]]:
    for at in range(0, len(days), _DAYS_AT_ONCE):
        yield days[at : at + _DAYS_AT_ONCE]


def _on(run: Run, days: Sequence[dt.date]) -> str:
    return f"_book_date IN ({dates(run.engine.dialect, days)})"


def _texts(run: Run, values: Sequence[str]) -> str:
    return ", ".join(map(run.engine.dialect.text, values)) or "''"


def _of_readers(relation: str) -> str:
    return f"{relation} (as readers see it)"
