"""Bronze to silver and silver to the gold candidates, by dbt."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from clearhouse.books.clerk import Clerk
from clearhouse.books.hop import Hop
from clearhouse.books.model import EntryKey, Side, Status, Totals
from clearhouse.engines.dbt_messages import DbtError
from clearhouse.pipeline import ops
from clearhouse.pipeline.bronze import bronze_schema
from clearhouse.pipeline.clearance import Cleared, bronze_cleared, silver_cleared
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.runner import StepReport

Build = Callable[[Sequence[dt.date]], None]

_MOST_IN_VAIN = 40
"""Builds in a row that may fail. Between two that work are fewer, unless most days are bad."""


def normalize_entities(run: Run, days: Sequence[dt.date]) -> StepReport:
    """Silver: one row a bronze record, the superseded ones marked."""
    report = StepReport()
    for dataset in run.chosen:
        report.add(_normalize(run, dataset, days), run.called(dataset))
    return report


def run_dbt_pipeline(run: Run, days: Sequence[dt.date]) -> StepReport:
    """Gold: candidates, written beside what is published."""
    report = StepReport()
    for dataset in run.chosen:
        report.add(_to_gold(run, dataset, days), run.called(dataset))
    return report


def _normalize(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> StepReport:
    cleared = bronze_cleared(run, dataset, days)
    hop = dataset.names.silver
    keys = _keys(run, hop, cleared, dataset.versions.silver)
    in_place = {
        day: entry_ids[0]
        for day, entry_ids in ops.entries_in(run.engine, dataset.declared.silver, days).items()
        if len(entry_ids) == 1
    }
    in_place |= _empty_in_place(run, dataset.declared.silver, hop, keys)

    def build(some: Sequence[dt.date]) -> None:
        build_silver(run, dataset, {day: keys[day].entry_id for day in some})

    return _build(run, dataset, dataset.hops[hop], cleared, Work(keys, in_place, build))


def _to_gold(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> StepReport:
    cleared = silver_cleared(run, dataset, days)
    hop = dataset.names.gold
    fact = dataset.declared.gold
    keys = _keys(run, hop, cleared, dataset.versions.gold)
    run.engine.discard_unfinished(fact)
    in_place = {
        day: keys[day].entry_id
        for day, entry_ids in ops.entries_in(run.engine, fact, days).items()
        if day in keys and keys[day].entry_id in entry_ids
    }
    in_place |= _empty_in_place(run, fact, hop, keys)
    candidates = {day: key.entry_id for day, key in keys.items()}
    ops.set_candidates(run.engine, dataset.id, candidates)

    def build(some: Sequence[dt.date]) -> None:
        entries = {day: (cleared.entries[day].entry_id, keys[day].entry_id) for day in some}
        build_gold(run, dataset, entries)

    return _build(run, dataset, dataset.hops[hop], cleared, Work(keys, in_place, build))


def build_silver(run: Run, dataset: OpenDataset, entries: Mapping[dt.date, str]) -> None:
    """Build silver of some days from bronze, tagged with the entry id of each day."""
    files = run.lake.files(dataset.id, sorted(entries)) if entries else []
    run.engine.expose_bronze(dataset.bronze, files, bronze_schema(dataset.contract))
    tagged = {day: (entry_id, "") for day, entry_id in entries.items()}
    ops.set_build_days(run.engine, dataset.id, tagged)
    run.dbt.build(f"tag:normalize,config.meta.dataset:{dataset.id}")


def build_gold(run: Run, dataset: OpenDataset, entries: Mapping[dt.date, tuple[str, str]]) -> None:
    """Build gold of some days from silver; the entry ids of each day in both."""
    run.engine.discard_unfinished(dataset.declared.gold)
    ops.set_build_days(run.engine, dataset.id, entries)
    run.dbt.build(f"tag:gold,+{dataset.declared.gold.partition('.')[2]}")
    published = set(ops.applied_pointers(run.engine, dataset.id).values())
    if any(entry_id in published for _, entry_id in entries.values()):
        # Readers go on with the rows as they were, until they are served those of this build.
        run.engine.execute(ops.to_serve(run.name, [(dataset.declared.gold, "", None)]))
    run.engine.keep_built(dataset.declared.gold, dataset.declared.layout)


def _keys(run: Run, hop: str, cleared: Cleared, version: str) -> dict[dt.date, EntryKey]:
    """Entries of a hop: functions of the entries before them and of the SQL."""
    made_from = {
        day: EntryKey(run.name, hop, day, before.entry_id, version)
        for day, before in cleared.entries.items()
    }
    return run.as_sealed(hop, made_from)


def _empty_in_place(
    run: Run, relation: str, hop: str, keys: Mapping[dt.date, EntryKey]
) -> dict[dt.date, str]:
    """Days that were built and have no rows: nothing in the store can carry their entry."""
    filled = ops.entries_in(run.engine, relation, list(keys)) if keys else {}
    entered = run.entries(hop, [day for day in keys if not filled.get(day)])
    return {
        day: entry.entry_id
        for day, entry in entered.items()
        if entry.key == keys[day] and not entry.totals.get(Side.OUT, Totals()).records
    }


@dataclass(frozen=True)
class Work:
    """What a hop should hold, what it holds, and how it is built.

    Attributes:
        keys: the entry that each day should have.
        in_place: the entry that the store's own rows carry.
        build: builds some days.
    """

    keys: Mapping[dt.date, EntryKey]
    in_place: Mapping[dt.date, str]
    build: Build


def _build(run: Run, dataset: OpenDataset, hop: Hop, cleared: Cleared, work: Work) -> StepReport:
    clerk = Clerk(run.books, hop, run.run_id)
    keys = work.keys
    plan = clerk.plan(keys, work.in_place)
    report = StepReport(skipped=list(plan.skip))
    cleared.stop(report)
    if plan.redo:
        clerk.open(keys[day] for day in plan.redo)
        failed = build_apart(work.build, plan.redo)
        clerk.fail(keys[day] for day in failed)
        built = [day for day in plan.redo if day not in failed]
        statuses = clerk.close(keys[day] for day in built)
        report.done = built
        report.failed |= failed
        report.unbalanced |= {
            day: f"The books don't balance from {hop.name}: run `clearhouse books`."
            for day, status in statuses.items()
            if status is Status.UNBALANCED
        }
    run.advance(dataset, len(cleared.entries))
    return report


def build_apart(build: Build, days: Sequence[dt.date]) -> dict[dt.date, str]:
    """Build days, together where that works; the days that can't be built, each with its reason.

    A row that breaks a model or a test fails the whole build, so the days are halved until the
    ones with such rows are alone. What is wrong with all of them would be tried in vain for each:
    while `_MOST_IN_VAIN` builds in a row have failed, no more days are halved.

    Raises:
        DbtError: dbt could not begin, whatever the days.
    """
    failed: dict[dt.date, str] = {}
    waiting = [list(days)]
    in_vain = 0
    while waiting:
        some = waiting.pop()
        try:
            build(some)
            in_vain = 0
        except DbtError as error:
            if not error.result.nodes:
                raise
            in_vain += 1
            if len(some) == 1 or in_vain >= _MOST_IN_VAIN:
                failed |= dict.fromkeys(some, error.message)
            else:
                middle = len(some) // 2
                waiting += [some[middle:], some[:middle]]
    return failed
