"""The flip of a publication: rows of derived tables put in place, and readers shown the result."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clearhouse.core.columnar import dates
from clearhouse.engines.engine import (
    Anew,
    DerivedTable,
    Insert,
    Partition,
    Served,
)
from clearhouse.pipeline import metrics, ops
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.domain import Dataset, Derived
from clearhouse.pipeline.transform import build_gold, build_silver

Pending = Mapping[str, Mapping[dt.date, str | None]]
Part = tuple[str, str, dt.date | None]
"""A part of a served table: its relation, SQL of the date that it is cut by, and the date."""

_WHOLE = "*"
"""Instead of a relation: all that is served of the domain is served anew."""


def derived_tables(dataset: Dataset, dataset_id: str) -> tuple[Derived, ...]:
    """The tables that follow from published rows, in the order in which they are applied."""
    layout = dataset.layout
    indexes = layout.indexes if layout.of_published is None else layout.of_published
    published = Derived(
        dataset.published,
        "gold",
        "_book_date",
        f"ops.pending WHERE dataset = '{dataset_id}'",
        is_internal=True,
        indexes=(("_record_key",), *indexes),
    )
    return (_hidden(dataset), published, *dataset.derived)


def _hidden(dataset: Dataset) -> Derived:
    return Derived(dataset.hidden, "gold", "_record_key", f"next.{dataset.touched_keys}")


def prepare(run: Run, pending: Pending, *, anew: bool) -> None:
    """Tell the models what is to be published, and show them the rows of the days that change.

    Args:
        run: the domain's parts.
        pending: by dataset, the pointers that change.
        anew: derived tables are made anew, and not changed where they are touched.
    """
    _have_facts(run)
    ops.set_pending(run.engine, pending)
    for dataset in run.datasets:
        applied = ops.applied_pointers(run.engine, dataset.id)
        changed = pending[dataset.id]
        before = [applied[day] for day in changed if day in applied]
        after = [entry_id for entry_id in changed.values() if entry_id is not None]
        gold = dataset.declared.gold
        run.engine.expose_entries(f"next.{gold.partition('.')[2]}", gold, [*before, *after])
    if anew:
        run.engine.begin_anew(_made_anew(run))


def _have_facts(run: Run) -> None:
    """Make the gold fact of a dataset that has come no further yet: models read it, empty."""
    for dataset in run.datasets:
        if not run.engine.has(dataset.declared.gold):
            build_silver(run, dataset, {})
            build_gold(run, dataset, {})


def _made_anew(run: Run) -> Anew:
    derived = [each for d in run.datasets for each in derived_tables(d.declared, d.id)]
    return Anew(
        tables=[
            DerivedTable(
                each.served, each.all_indexes, each.grain, each.is_internal, each.is_summary
            )
            for each in derived
        ],
        views=views_of([dataset.declared for dataset in run.datasets]),
    )


def views_of(datasets: Sequence[Dataset]) -> list[str]:
    """The views that readers are shown, in the order in which they build on each other.

    Those of one dataset may build on what readers see of another one.
    """
    return [d.readers for d in datasets] + [view for d in datasets for view in d.views]


def _touched_days(
    run: Run, dataset: OpenDataset, pending: Mapping[dt.date, str | None], *, anew: bool
) -> set[dt.date]:
    """Days of which readers see other rows after the publication that was built."""
    if anew:
        return {*pending}
    hidden = _hidden(dataset.declared)
    return {*pending, *_changed_parts(run, hidden, "_book_date")}


def _changed_parts(run: Run, derived: Derived, part: str) -> list[dt.date]:
    """The dates by which rows of a derived table differ from those built for its touched keys."""
    delta = f"next.{derived.name}"
    answer = run.engine.query(
        f"""WITH in_force AS MATERIALIZED ({derived.rows_touched})
        SELECT DISTINCT CAST({part} AS DATE) AS part FROM (
            (SELECT * FROM in_force EXCEPT SELECT * FROM {delta})
            UNION ALL (SELECT * FROM {delta} EXCEPT SELECT * FROM in_force)) AS differing"""
    )
    return sorted(answer["part"].to_pylist())


def _all_parts(run: Run, derived: Derived, part: str) -> list[dt.date]:
    answer = run.engine.query(f"SELECT DISTINCT CAST({part} AS DATE) AS part FROM {derived.served}")
    return sorted(answer["part"].to_pylist())


@dataclass(frozen=True)
class Flip:
    """What a flip comes to.

    Attributes:
        number: of the publication.
        versions: what the derived tables are made by.
        anew: the tables were made anew, in their places: nothing that was served before counts.
    """

    number: int
    versions: str
    anew: bool


def apply(run: Run, pending: Pending, flip: Flip) -> None:
    """Flip the pointers and put the rows that were built for them in place, in one transaction."""
    statements: list[str | Insert] = []
    # The daily figures too, though none of them may change: whole is what is named, and no more.
    to_serve: list[Part] = [(_WHOLE, "", None), (metrics.TABLE, "", None)] if flip.anew else []
    if flip.anew:
        statements += run.engine.placed_anew(_made_anew(run))
    for dataset in run.datasets:
        changed = pending[dataset.id]
        # What derives from one dataset may build on another one, and be touched by that.
        every = derived_tables(dataset.declared, dataset.id)
        for derived in every if changed or flip.anew else dataset.declared.derived:
            if run.engine.serves_copies:
                to_serve += _parts_to_serve(run, derived, anew=flip.anew)
            statements += [] if flip.anew else _put_in_place(run, derived)
        if not changed:
            continue
        touched = _touched_days(run, dataset, changed, anew=flip.anew)
        statements += [
            ops.touched(dataset.id, touched),
            f"""DELETE FROM ops.publication WHERE dataset = '{dataset.id}'
                AND book_date IN ({dates(run.engine.dialect, changed)})""",
            f"""INSERT INTO ops.publication SELECT * FROM ops.pending
                WHERE dataset = '{dataset.id}' AND entry_id IS NOT NULL""",
        ]
    run.engine.execute(
        *statements,
        f"DELETE FROM ops.applied WHERE domain = '{run.name}'",
        f"INSERT INTO ops.applied VALUES ('{run.name}', {flip.number}, '{flip.versions}')",
        ops.no_longer_pending(pending),
        ops.to_serve(run.name, to_serve),
    )


def _parts_to_serve(run: Run, derived: Derived, *, anew: bool) -> list[Part]:
    if derived.is_internal:
        return []
    if not derived.part:
        return [(derived.served, "", None)]
    changed: list[dt.date | None] = (
        # Its columns by themselves too: of a table without rows readers are shown these.
        [None, *_all_parts(run, derived, derived.part)]
        if anew
        else [*_changed_parts(run, derived, derived.part)]
    )
    return [(derived.served, derived.part, day) for day in changed]


def _everything(run: Run) -> list[Part]:
    """All that readers are served: parts that changed are added to a file that has the others."""
    every = [each for d in run.datasets for each in derived_tables(d.declared, d.id)]
    there = [each for each in every if not each.is_internal and run.engine.has(each.served)]
    parts = (part for each in there for part in _parts_to_serve(run, each, anew=True))
    return [(_WHOLE, "", None), (metrics.TABLE, "", None), *parts]


def _put_in_place(run: Run, derived: Derived) -> list[str]:
    table = run.engine.table_of(derived.served)
    return [
        derived.removal(table),
        f"INSERT INTO {table} SELECT * FROM next.{derived.name}",
        *(run.engine.refreshed(derived.served) if derived.is_summary else ()),
    ]


def serve(run: Run, number: int) -> None:
    """Show readers what the engine's tables hold, unless they see it already."""
    sql = """SELECT DISTINCT relation, part_column, part FROM ops.to_serve WHERE domain = $1
        ORDER BY relation, part_column, part"""
    waiting = run.engine.query(sql, [run.name]).to_pylist()
    # What the first publication leaves when it fails is no whole, and nobody has seen it.
    shown = [d.declared for d in run.datasets if number and run.engine.has(d.declared.readers)]
    if shown and not run.engine.is_as_served(run.name):
        run.engine.execute(ops.to_serve(run.name, _everything(run)))
        waiting = run.engine.query(sql, [run.name]).to_pylist()
    if not waiting and run.engine.served_number(run.name) == number:
        return
    no_table = {_WHOLE, *(dataset.declared.gold for dataset in run.datasets)}
    run.engine.serve(
        Served(
            domain=run.name,
            number=number,
            changed=[
                Partition(r["relation"], r["part_column"], r["part"])
                for r in waiting
                if r["relation"] not in no_table
            ],
            whole=any(r["relation"] == _WHOLE for r in waiting),
            facts=[dataset.gold for dataset in shown],
            views=views_of(shown),
            where={metrics.TABLE: f"domain = '{run.name}'"},
            descriptions=run.dbt.descriptions(),
        )
    )
    run.engine.execute(f"DELETE FROM ops.to_serve WHERE domain = '{run.name}'")
