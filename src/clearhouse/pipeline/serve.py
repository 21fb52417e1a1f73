"""The flip of a publication: rows of derived tables put in place, and readers shown the result."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from clearhouse.core.columnar import dates
from clearhouse.engines.engine import Insert, Partition, Served
from clearhouse.pipeline import metrics, ops
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.domain import Dataset, Derived

Pending = Mapping[str, Mapping[dt.date, str | None]]


def derived_tables(dataset: Dataset) -> tuple[Derived, ...]:
    """The tables that follow from published rows; the hidden records are the first of them."""
    hidden = Derived(dataset.hidden, "gold", "_record_key", dataset.touched_keys)
    return (hidden, *dataset.derived)


def touched_days(
    run: Run, dataset: OpenDataset, pending: Mapping[dt.date, str | None]
) -> set[dt.date]:
    """Days of which readers see other rows after the publication that was built."""
    hidden = derived_tables(dataset.declared)[0]
    return {*pending, *_changed_parts(run, hidden, "_book_date")}


def _changed_parts(run: Run, derived: Derived, part: str) -> list[dt.date]:
    """The dates by which rows of a derived table differ from those built for its touched keys."""
    delta = f"next.{derived.name}"
    if not len(run.engine.query(f"SELECT 1 AS one FROM {derived.served} LIMIT 1")):
        differing = delta
    else:
        in_force = f"""SELECT * FROM {derived.served} WHERE {derived.key} IN (
            SELECT {derived.key} FROM next.{derived.touched})"""
        differing = f"""(
            (({in_force}) EXCEPT SELECT * FROM {delta})
            UNION ALL (SELECT * FROM {delta} EXCEPT ({in_force}))) AS differing"""
    answer = run.engine.query(f"SELECT DISTINCT CAST({part} AS DATE) AS part FROM {differing}")
    return sorted(answer["part"].to_pylist())


_WHOLE = "*"
"""Instead of a relation: all that is served of the domain is served anew."""


@dataclass(frozen=True)
class Flip:
    """What a flip comes to.

    Attributes:
        number: of the publication.
        versions: what the derived tables are made by.
        anew: the tables are made anew: nothing that was built or served before counts.
    """

    number: int
    versions: str
    anew: bool


def apply(run: Run, pending: Pending, flip: Flip) -> None:
    """Flip the pointers and put the rows that were built for them in place, in one transaction."""
    statements: list[str | Insert] = []
    to_serve: list[tuple[str, str, dt.date | None]] = [(_WHOLE, "", None)] if flip.anew else []
    for dataset in run.datasets:
        changed = pending[dataset.id]
        if not changed:
            continue
        statements.append(ops.touched(dataset.id, touched_days(run, dataset, changed)))
        for derived in derived_tables(dataset.declared):
            to_serve += _parts_to_serve(run, derived)
            statements += _put_in_place(derived, anew=flip.anew)
        statements += [
            f"""DELETE FROM ops.publication WHERE dataset = '{dataset.id}'
                AND book_date IN ({dates(run.engine.dialect, changed)})""",
            f"""INSERT INTO ops.publication SELECT * FROM ops.pending
                WHERE dataset = '{dataset.id}' AND entry_id IS NOT NULL""",
        ]
    run.engine.execute(
        *statements,
        f"DELETE FROM ops.applied WHERE domain = '{run.name}'",
        f"INSERT INTO ops.applied VALUES ('{run.name}', {flip.number}, '{flip.versions}')",
        "DELETE FROM ops.pending",
        ops.to_serve(run.name, to_serve),
    )


def _parts_to_serve(run: Run, derived: Derived) -> list[tuple[str, str, dt.date | None]]:
    if not derived.part:
        return [(derived.served, "", None)]
    changed = _changed_parts(run, derived, derived.part)
    return [(derived.served, derived.part, day) for day in changed]


def _put_in_place(derived: Derived, *, anew: bool) -> list[str]:
    if anew:
        return [
            f"DROP TABLE {derived.served}",
            f"CREATE TABLE {derived.served} AS SELECT * FROM next.{derived.name}",
        ]
    return [
        f"""DELETE FROM {derived.served} WHERE {derived.key} IN (
            SELECT {derived.key} FROM next.{derived.touched})""",
        f"INSERT INTO {derived.served} SELECT * FROM next.{derived.name}",
    ]


def serve(run: Run, number: int) -> None:
    """Show readers what the engine's tables hold, unless they see it already."""
    sql = """SELECT DISTINCT relation, part_column, part FROM ops.to_serve WHERE domain = $1
        ORDER BY ALL"""
    waiting = run.engine.query(sql, [run.name]).to_pylist()
    if not waiting and run.engine.served_number(run.name) == number:
        return
    shown = [d.declared for d in run.datasets if run.engine.has(d.declared.readers)]
    run.engine.serve(
        Served(
            domain=run.name,
            number=number,
            changed=[
                Partition(r["relation"], r["part_column"], r["part"])
                for r in waiting
                if r["relation"] != _WHOLE
            ],
            whole=any(r["relation"] == _WHOLE for r in waiting),
            facts=[dataset.gold for dataset in shown],
            views=[view for dataset in shown for view in (dataset.readers, *dataset.views)],
            where={metrics.TABLE: f"domain = '{run.name}'"},
        )
    )
    run.engine.execute(f"DELETE FROM ops.to_serve WHERE domain = '{run.name}'")
