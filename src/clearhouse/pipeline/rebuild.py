"""Everything again from landing: the books' first hop from the manifests, then every step.

Data flow: landing → books, bronze, quarantine, silver, gold, what readers see. Nothing is pulled.
Grain: all days that have landed.
Idempotency: the steps are the pipeline's own. A rebuild that was cut short goes on where it ended.
How to run: `clearhouse rebuild DOMAIN`.

The books say which entry of each day readers see, and an entry says which landed versions it was
made from. So a day whose correction is held, or that was rolled back, is first built from what
readers saw, then from all. Days that were rolled back are not published by the steps.
"""

import datetime as dt
import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

from clearhouse.books.clerk import Clerk
from clearhouse.books.model import Entry, Side, Status, Totals
from clearhouse.books.publications import Cause
from clearhouse.core.errors import StoreError
from clearhouse.core.window import Window
from clearhouse.landing import LandedObject
from clearhouse.landing.objects import days_in_parts
from clearhouse.landing.spine import ROWS_AT_ONCE
from clearhouse.pipeline.bronze import input_of
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.publish import publish_cleared
from clearhouse.pipeline.pull import key_of_pull
from clearhouse.pipeline.runner import RunReport, Step, StepReport, run_steps
from clearhouse.pipeline.steps import STEPS

_THREADS = 2
_SETTLED = (Status.BALANCED, Status.HELD, Status.UNBALANCED)

HopDay = tuple[str, dt.date]
Shown = dict[tuple[str, dt.date], int]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild came to.

    Attributes:
        report: the steps over all days, with all versions of each.
        shown: days of which readers see an earlier state than what was built last.
        books_were_empty: whether the books were lost too, and with them what people decided.
        same: how many totals are those that the books had before.
        differing: hops and days whose totals are not.
    """

    report: RunReport
    shown: Sequence[dt.date]
    books_were_empty: bool
    same: int
    differing: tuple[HopDay, ...]


def landed_days(run: Run) -> list[dt.date]:
    """The days of which something has landed, in order.

    Raises:
        StoreError: landing can't be listed, or holds nothing (nothing_landed).
    """
    sources = [source.name for d in run.datasets for source in d.declared.sources]
    days = sorted({day for source in sources for day in run.landing.landed_days(source)})
    if not days:
        raise StoreError(
            f"Nothing of {', '.join(sources)} has landed, so there is nothing to rebuild from: set "
            "CLEARHOUSE_HOME or LANDING_URL to where landing is, or restore it from a backup.",
            "nothing_landed",
        )
    return days


def check_landing(run: Run) -> None:
    """See that landing still holds all that the books say has landed.

    Raises:
        StoreError: it holds less (landing_incomplete), or an object is not as it was landed.
    """
    for dataset in run.datasets:
        for hop in dataset.names.landed.values():
            entries = [e for e in run.books.current(run.name, hop) if e.status in _SETTLED]
            measured = dataset.hops[hop].measure([e.key.book_date for e in entries])
            for entry in entries:
                _check(entry, measured[entry.key.book_date].totals.get(Side.OUT, Totals()))


def _check(entry: Entry, held: Totals) -> None:
    entered = entry.totals.get(Side.OUT, Totals())
    if held.records < entered.records:
        raise StoreError(
            f"Landing holds {held.records:,} records of {entry.key.book_date} and the books say "
            f"that {entered.records:,} have landed: restore landing from a backup first.",
            "landing_incomplete",
        )


def rebuild(run: Run, days: Sequence[dt.date]) -> Rebuilt:
    """Build all derived stores of landed days, up to what readers see.

    Args:
        run: the domain's parts; derived stores that stand as they should are left as they are.
        days: see `landed_days`.
    """
    before = _totals(run.books.current(run.name))
    shown = _shown_versions(run, days)
    rolled = {d.id: _rolled_back(run, d, days, shown) for d in run.datasets}
    earlier = sorted({day for _, day in shown})
    with _showing(run, shown):
        report = _steps(run, days, rolled)
    if earlier:
        report = _with(report, _steps(run, earlier, rolled), earlier)
    after = _totals(run.books.current(run.name))
    differing = tuple(sorted(k for k, totals in before.items() if after.get(k) != totals))
    as_before = _not_the_last(run, sorted({*earlier, *chain.from_iterable(rolled.values())}))
    return Rebuilt(report, as_before, not before, len(before) - len(differing), differing)


def _rolled_back(
    run: Run, dataset: OpenDataset, days: Sequence[dt.date], shown: Shown
) -> set[dt.date]:
    """Days that a person took back to an earlier publication, and that can be as they were then.

    That is so of those withdrawn, and of those made by this code from fewer versions than landed.
    """
    by_this_code = (dataset.versions.gold, dataset.versions.silver, dataset.versions.bronze)
    last = {day: e.entry_id for day, e in run.entries(dataset.names.gold, days).items()}
    from_fewer = {day for source, day in shown if source in dataset.names.landed}

    def can_be_made(entry_id: str) -> bool:
        return tuple(e.key.code_hash for e in run.books.lineage(entry_id)) == by_this_code

    return {
        day
        for day, (entry_id, cause) in run.publications.shown(dataset.id).items()
        if cause is Cause.ROLLBACK and day in last and entry_id != last[day]
        if entry_id is None or (day in from_fewer and can_be_made(entry_id))
    }


def _not_the_last(run: Run, days: Sequence[dt.date]) -> list[dt.date]:
    """Of some days, those of which readers see something else than was built last."""
    found: set[dt.date] = set()
    for dataset in run.datasets if days else ():
        seen = run.publications.pointers(dataset.id, days)
        last = run.entries(dataset.names.gold, days)
        found |= {day for day, e in last.items() if seen.get(day) != e.entry_id}
    return sorted(found)


@contextmanager
def _showing(run: Run, shown: Shown) -> Iterator[None]:
    """Let fewer versions of some days count as landed, for those who measure them too."""
    readers = [dataset.reader for dataset in run.datasets]
    for reader in readers:
        reader.shown.update(shown)
    try:
        yield
    finally:
        for reader in readers:
            reader.shown.clear()


def _totals(entries: Iterable[Entry]) -> dict[HopDay, Mapping[Side, Totals]]:
    return {(e.key.hop, e.key.book_date): e.totals for e in entries if e.status in _SETTLED}


def _shown_versions(run: Run, days: Sequence[dt.date]) -> Shown:
    """Of published days that are made from fewer versions than have landed: how many of them."""
    shown: Shown = {}
    window = Window(min(days), max(days))
    for dataset in run.datasets:
        sources = [source.name for source in dataset.declared.sources]
        landed = {source: run.landing.days(source, window) for source in sources}
        for day, entry_id in run.publications.pointers(dataset.id, days).items():
            objects = [landed[source][day] for source in sources]
            counts = _made_from(run, dataset, entry_id, objects)
            if counts is not None and counts != tuple(map(len, objects)):
                shown |= {(s, day): n for s, n in zip(sources, counts, strict=True)}
    return shown


def _made_from(
    run: Run, dataset: OpenDataset, entry_id: str, objects: Sequence[Sequence[LandedObject]]
) -> tuple[int, ...] | None:
    """How many versions of each source a gold entry is made from; None: it is not known."""
    lineage = run.books.lineage(entry_id)
    bronze = next((e for e in lineage if e.key.hop == dataset.names.bronze), None)
    return None if bronze is None else versions_behind(bronze.key.input_hash, objects)


def versions_behind(
    input_hash: str, objects: Sequence[Sequence[LandedObject]]
) -> tuple[int, ...] | None:
    """How many of each source's versions a bronze entry is made from; None: not of these."""
    for counts in itertools.product(*(range(len(each), -1, -1) for each in objects)):
        some = [o for each, count in zip(objects, counts, strict=True) for o in each[:count]]
        if input_of(some) == input_hash:
            return counts
    return None


def _steps(
    run: Run, days: Sequence[dt.date], rolled: Mapping[str, Collection[dt.date]]
) -> RunReport:
    """All steps after the pull over some days, which need not be all days of a window."""
    chosen = sorted(days)
    last = STEPS[-1]

    def show(a_run: Run, _days: Sequence[dt.date]) -> StepReport:
        return publish_cleared(a_run, chosen, but_for=rolled)

    steps = (
        Step("choose_days", "days to build again", lambda _run, _days: StepReport(done=chosen)),
        Step("enter_landed_days", "books of what has landed", _enter_landed),
        *STEPS[1:-1],
        Step(last.name, last.summary, show, always=True),
    )
    window = Window(chosen[0], chosen[-1])
    return run_steps(steps, run, window, run_id=run.run_id, progress=run.progress)


def _with(report: RunReport, again: RunReport, days: Sequence[dt.date]) -> RunReport:
    """A report in which some days are as a second run left them."""
    for name, second in again.steps.items():
        first = report.steps.setdefault(name, StepReport())
        for kind in ("held", "failed", "unbalanced", "incomplete"):
            found = {d: why for d, why in getattr(first, kind).items() if d not in days}
            setattr(first, kind, found | getattr(second, kind))
    return report


def _enter_landed(run: Run, days: Sequence[dt.date]) -> StepReport:
    """Enter what has landed by the requests of its manifests. Days without any are left out."""
    entered: set[dt.date] = set()
    for dataset in run.datasets:
        for source in dataset.names.landed:
            entered |= set(_enter_source(run, dataset, source, days))
    return StepReport(done=sorted(entered))


def _enter_source(
    run: Run, dataset: OpenDataset, source: str, days: Sequence[dt.date]
) -> list[dt.date]:
    hop = dataset.names.landed[source]
    by_day = run.landing.days(source, Window(min(days), max(days)))
    landed = {day: by_day[day] for day in days if by_day[day]}

    def measure(some: Sequence[dt.date]) -> int:
        dataset.reader.measure(some, source)
        return len(some)

    with ThreadPoolExecutor(_THREADS) as pool:
        for measured in pool.map(measure, days_in_parts(landed, ROWS_AT_ONCE)):
            run.progress.advance(measured)
    known = run.entries(hop, list(landed))
    keys = {
        day: known[day].key
        if day in known
        else key_of_pull(run, dataset, source, day, _request(objects))
        for day, objects in landed.items()
    }
    clerk = Clerk(run.books, dataset.hops[hop], run.run_id)
    plan = clerk.plan(keys, {day: key.entry_id for day, key in keys.items()})
    clerk.close(keys[day] for day in plan.redo)
    return list(landed)


def _request(objects: Sequence[LandedObject]) -> dict[str, Any]:
    """What the source was last asked for a day: rows that were corrected were not asked for."""
    pulls = [o for o in objects if o.is_given]
    return (pulls or list(objects))[-1].request
