"""Publication: what passed both gates is shown to readers, with all that derives from it, at once.

Data flow: gold candidates → pointers, derived tables, what readers open.
Grain: one publication a call; it names the days whose pointer it changes.
Idempotency: the books record a publication before any store is changed, and every store says which
one it has come to. So a publication that was cut short is finished by the next call, and one that
changes nothing does nothing.

The rows of derived tables that it changes are built and tested beside those in force. Then one
transaction flips the pointers and puts these rows in place, and readers are shown the result.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from clearhouse.books.model import EntryKey, Status, digest
from clearhouse.books.publications import Cause
from clearhouse.pipeline import metrics, ops
from clearhouse.pipeline.clearance import gold_cleared
from clearhouse.pipeline.collect import collect
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.runner import StepReport
from clearhouse.pipeline.serve import Flip, apply, prepare, serve
from clearhouse.pipeline.transform import build_apart

Changes = dict[str, dict[dt.date, str | None]]
"""By dataset, the pointers that change; None: the day is withdrawn."""


@dataclass
class Outcome:
    """What a publication came to.

    Attributes:
        changed: days whose pointer changed.
        unbalanced: days of which readers don't see what is published.
    """

    changed: set[dt.date] = field(default_factory=set)
    unbalanced: dict[dt.date, str] = field(default_factory=dict)


def publish_quality_metrics(run: Run, days: Sequence[dt.date]) -> StepReport:
    """Show readers the days that passed both gates, and the figures of all days."""
    return publish_cleared(run, days, but_for={})


def publish_cleared(
    run: Run, days: Sequence[dt.date], but_for: Mapping[str, Collection[dt.date]]
) -> StepReport:
    """The same, but for days by dataset of which readers go on with what they see."""
    report = StepReport()
    changes: Changes = {}
    cleared_days: set[dt.date] = set()
    for dataset in run.chosen:
        cleared = gold_cleared(run, dataset, days)
        one = StepReport(skipped=list(cleared.entries))
        cleared.stop(one)
        report.add(one, run.called(dataset))
        cleared_days |= set(cleared.entries)
        before = run.publications.pointers(dataset.id, days)
        wanted: dict[dt.date, str | None] = {
            day: entry.entry_id for day, entry in cleared.entries.items()
        }
        wanted |= dict.fromkeys(_no_longer_allowed(run, before, wanted))
        stays = but_for.get(dataset.id, ())
        changes[dataset.id] = {
            d: e for d, e in wanted.items() if before.get(d) != e and d not in stays
        }
    changed = sorted({day for each in changes.values() for day in each})

    def publish_some(some: Sequence[dt.date]) -> None:
        restricted = {
            d: {day: e for day, e in c.items() if day in some} for d, c in changes.items()
        }
        report.unbalanced |= publish(run, restricted, days, *_cause(run)).unbalanced

    failed = build_apart(publish_some, changed) if changed else {}
    if not changed or failed:
        report.unbalanced |= publish(run, {}, days).unbalanced
    report.failed |= failed
    report.by_others -= {*failed}
    report.done = [day for day in changed if day in cleared_days and day not in failed]
    report.skipped = sorted(cleared_days - set(changed))
    collect(run)
    run.progress.advance(len(days))
    return report


def _cause(run: Run) -> tuple[Cause, str]:
    return (Cause.RELEASE, run.release_reason) if run.release_reason else (Cause.RUN, "")


def _no_longer_allowed(
    run: Run, published: Mapping[dt.date, str], cleared: Mapping[dt.date, str | None]
) -> list[dt.date]:
    """Days whose published entry, or one that it was made from, a gate holds by now."""
    made_from = {
        day: [entry.entry_id for entry in run.books.lineage(entry_id)]
        for day, entry_id in published.items()
        if day not in cleared
    }
    decisions = run.decisions.of_many([e for entry_ids in made_from.values() for e in entry_ids])
    return [
        day
        for day, entry_ids in made_from.items()
        if any(d.holds for e in entry_ids for d in decisions.get(e, ()))
    ]


def publish(
    run: Run,
    changes: Changes,
    days: Sequence[dt.date],
    cause: Cause = Cause.RUN,
    reason: str = "",
) -> Outcome:
    """Bring what readers see to what the books say with these changes.

    Args:
        run: the domain's parts.
        changes: pointers that are to change.
        days: days whose daily figures may have changed.
        cause: why the pointers change.
        reason: what a person gave for it.

    Raises:
        DbtError: what derives from the published rows can't be built or fails a test; readers see
            what they saw, and the books record nothing.
    """
    changes = {dataset: changed for dataset, changed in changes.items() if changed}
    versions = _versions(run)
    anew = not is_made_by_this_code(run)
    pending = {
        dataset.id: _pending(run, dataset, changes.get(dataset.id, {}), whole=anew)
        for dataset in run.datasets
    }
    if any(pending.values()):
        prepare(run, pending, anew=anew)
        run.dbt.build("tag:published")
    number = (
        run.publications.add(run.name, changes, run.run_id, cause, reason)
        if changes
        else run.publications.latest(run.name)
    )
    if any(pending.values()):
        apply(run, pending, Flip(number, versions, anew))
    touched = {d.id: ops.touched_days(run.engine, d.id) for d in run.datasets}
    metrics.update(run, sorted({*days, *(day for each in touched.values() for day in each)}))
    serve(run, number)
    outcome = Outcome({day for each in changes.values() for day in each})
    for dataset in run.datasets:
        standing = dataset.judge.standing()
        withheld = [day for day in days if day in standing and standing[day].withheld]
        entered = sorted({*touched[dataset.id], *withheld})
        outcome.unbalanced |= _enter_readers(run, dataset, entered)
    return outcome


def _pending(
    run: Run, dataset: OpenDataset, changed: Mapping[dt.date, str | None], *, whole: bool
) -> dict[dt.date, str | None]:
    """The pointers in which the engine's tables differ from the books with the changes."""
    applied = ops.applied_pointers(run.engine, dataset.id)
    published = run.publications.pointers(dataset.id)
    wanted: dict[dt.date, str | None] = {**dict.fromkeys(applied), **published, **changed}
    return {
        day: entry_id
        for day, entry_id in wanted.items()
        if applied.get(day) != entry_id or (whole and entry_id is not None)
    }


def is_made_by_this_code(run: Run) -> bool:
    """Whether what derives from published rows was made by the models as they are."""
    sql = "SELECT versions FROM ops.applied WHERE domain = $1"
    rows = run.engine.query(sql, [run.name])
    return len(rows) > 0 and rows["versions"][0].as_py() == _versions(run)


def _versions(run: Run) -> str:
    return digest(*(dataset.versions.published for dataset in run.datasets))


def _enter_readers(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> dict[dt.date, str]:
    """Enter what readers see of the days that a publication touched.

    A correction that arrives on a later day changes what readers see of an earlier one: its entry
    here is a new one, and the earlier one stays in the books as it was.
    """
    if not days:
        return {}
    hop = dataset.names.readers
    pointers = run.publications.pointers(dataset.id, days)
    measured = dataset.hops[hop].measure(days)
    known = {e.key.book_date: e for e in run.books.current(run.name, hop, days)}
    fresh = {}
    for day, found in measured.items():
        inputs = digest(pointers.get(day, ""), found.ref)
        key = EntryKey(run.name, hop, day, inputs, dataset.versions.published)
        entry = known.get(day)
        if entry is None or entry.key != key or entry.status is not Status.BALANCED:
            fresh[key] = found
    statuses = run.books.close(fresh, run.run_id)
    ops.forget_touched(run.engine, dataset.id)
    return {
        key.book_date: "Readers don't see what is published: run `clearhouse books`."
        for key, status in statuses.items()
        if status is Status.UNBALANCED
    }
