"""Rolling back: readers are shown an earlier publication again."""

import datetime as dt

from clearhouse.books.publications import Cause
from clearhouse.core.errors import UsageError
from clearhouse.pipeline import ops
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.publish import Outcome, publish


def rollback(run: Run, number: int, reason: str) -> Outcome:
    """Let every pointer be as it was after a publication. It is a publication of its own.

    Raises:
        UsageError: there is no such publication, nothing would change, or gold no longer holds an
            entry that it names.
    """
    publish(run, {}, [])  # what a publication that was cut short has left to do
    if number not in [p.number for p in run.publications.history(run.name)]:
        raise UsageError(
            f"{run.name} has no publication {number}: `clearhouse publications {run.name}` lists "
            "them.",
            "unknown_publication",
        )
    changes: dict[str, dict[dt.date, str | None]] = {}
    for dataset in run.datasets:
        now = run.publications.pointers(dataset.id)
        then: dict[dt.date, str | None] = {
            **dict.fromkeys(now),
            **run.publications.pointers(dataset.id, up_to=number),
        }
        changes[dataset.id] = {day: e for day, e in then.items() if now.get(day) != e}
        _check_kept(run, dataset.declared.gold, changes[dataset.id])
    days = sorted({day for changed in changes.values() for day in changed})
    if not days:
        raise UsageError(f"Readers of {run.name} see publication {number} already.", "no_change")
    return publish(run, changes, days, Cause.ROLLBACK, reason)


def _check_kept(run: Run, gold: str, changed: dict[dt.date, str | None]) -> None:
    kept = ops.entries_in(run.engine, gold, list(changed))
    for day, entry_id in changed.items():
        if entry_id is not None and entry_id not in kept.get(day, []):
            raise UsageError(
                f"Gold no longer holds what readers saw of {day}: choose a later publication.",
                "entry_not_kept",
            )
