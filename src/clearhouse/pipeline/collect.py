"""Gold rows that readers can't be shown again any more: those of entries that gave way long ago.

Data flow: gold → nothing. Readers see the entry that a pointer names; the others of its day are
kept for ROLLBACK_DAYS, so that readers can be shown again what they saw.
Grain: an entry. Kept are the current one, which may wait or be held, all that were entered in this
time, and all that readers saw in it.
Idempotency: a day is looked at when what changed of it has become as old; the engine says up to
which moment that was done. A day that is wanted again is built again.
"""

import datetime as dt
from collections.abc import Sequence

from clearhouse.pipeline import ops
from clearhouse.pipeline.context import OpenDataset, Run

_AGAIN_AFTER = dt.timedelta(hours=20)
"""Once a night is enough, however many runs there are."""


def collect(run: Run) -> None:
    """Delete the rows of entries that gave way more than ROLLBACK_DAYS ago."""
    kept_for = dt.timedelta(days=run.settings.rollback_days)
    until = dt.datetime.now(dt.UTC) - kept_for
    since = ops.collected_until(run.engine, run.name)
    if since is not None and until - since < min(_AGAIN_AFTER, kept_for):
        return
    for dataset in run.datasets:
        _collect(run, dataset, since, until)
    ops.set_collected(run.engine, run.name, until)


def _collect(run: Run, dataset: OpenDataset, since: dt.datetime | None, until: dt.datetime) -> None:
    hop, gold = dataset.names.gold, dataset.declared.gold
    entered = run.books.entered(run.name, hop, since, until)
    days = sorted({*entered.values(), *run.publications.changed(dataset.id, since, until)})
    if not days:
        return
    kept = _kept(run, dataset, days, until)
    gone = {
        day: sorted({*entry_ids} - kept)
        for day, entry_ids in ops.entries_in(run.engine, gold, days).items()
        if not kept.issuperset(entry_ids)
    }
    if gone:
        run.engine.drop_entries(gold, gone)


def _kept(run: Run, dataset: OpenDataset, days: Sequence[dt.date], until: dt.datetime) -> set[str]:
    hop = dataset.names.gold
    return {
        *(entry.entry_id for entry in run.books.current(run.name, hop, days)),
        *run.books.entered(run.name, hop, until),
        *run.publications.shown_since(dataset.id, days, until),
    }
