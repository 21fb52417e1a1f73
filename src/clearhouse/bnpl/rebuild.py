"""Everything again from landing alone: the books' first hop from the manifests, then every step.

Data flow: landing → books, bronze, quarantine, silver, gold, marts. Nothing is pulled.
Grain: all days that have landed, each with all of its versions.
Idempotency: the steps are the pipeline's own. A rebuild that was cut short goes on where it ended.
How to run: `clearhouse rebuild bnpl`.

A day that a gate holds keeps showing readers the version that they saw before. Landing says which
versions came, not which were shown, so a held day is built from ever fewer of them until it passes.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from clearhouse.bnpl.context import DATASET, DOMAIN, SOURCE, SOURCE_TO_LANDING, Bnpl
from clearhouse.bnpl.pipeline import PIPELINE
from clearhouse.bnpl.spine import spine
from clearhouse.bnpl.steps.extract import key_of_pull
from clearhouse.books.clerk import Clerk
from clearhouse.books.model import Entry, Side, Status, Totals
from clearhouse.core.errors import StoreError
from clearhouse.pipeline.runner import RunReport, Step, StepReport, run_steps
from clearhouse.core.window import Window
from clearhouse.landing import LandedObject, Landing
from clearhouse.landing.folder import ObjectFolder
from clearhouse.landing.objects import parse_key

_THREADS = 2
_SETTLED = (Status.BALANCED, Status.HELD, Status.UNBALANCED)

HopDay = tuple[str, dt.date]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild came to.

    Attributes:
        report: the steps over all days, with all versions of each.
        shown: days that are held and of which readers see an earlier state: how many versions of
            how many it is made from.
        books_were_empty: whether the books were lost too, and with them what people decided.
        same: how many totals are those that the books had before.
        differing: hops and days whose totals are not.
    """

    report: RunReport
    shown: Mapping[dt.date, tuple[int, int]]
    books_were_empty: bool
    same: int
    differing: tuple[HopDay, ...]


def landed_days(folder: ObjectFolder) -> list[dt.date]:
    """The days of which something has landed, in order.

    Raises:
        StoreError: landing can't be listed, or holds nothing (nothing_landed).
    """
    parsed = map(parse_key, folder.keys(f"raw/{SOURCE}"))
    days = sorted({found[0].book_date for found in parsed if found is not None and found[1]})
    if not days:
        raise StoreError(
            f"Nothing of {SOURCE} has landed, so there is nothing to rebuild from: set "
            "CLEARHOUSE_HOME or LANDING_URL to where landing is, or restore it from a copy.",
            "nothing_landed",
        )
    return days


def check_landing(bnpl: Bnpl) -> None:
    """See that landing still holds all that the books say has landed.

    Raises:
        StoreError: it holds less (landing_incomplete), or an object is not as it was landed.
    """
    entries = [e for e in bnpl.books.current(DOMAIN, SOURCE_TO_LANDING) if e.status in _SETTLED]
    measured = bnpl.hops[SOURCE_TO_LANDING].measure([e.key.book_date for e in entries])
    for entry in entries:
        entered = entry.totals.get(Side.OUT, Totals()).records
        held = measured[entry.key.book_date].get(Side.OUT, Totals()).records
        if held < entered:
            raise StoreError(
                f"Landing holds {held:,} records of {entry.key.book_date} and the books say that "
                f"{entered:,} have landed: restore landing from a copy before a rebuild.",
                "landing_incomplete",
            )


def rebuild(bnpl: Bnpl, folder: ObjectFolder, days: Sequence[dt.date]) -> Rebuilt:
    """Build all derived stores of landed days, up to what readers see.

    Args:
        bnpl: the domain's parts; derived stores that stand as they should are left as they are.
        folder: where landing is.
        days: see `landed_days`.
    """
    before = _totals(bnpl.books.current(DOMAIN))
    report = _run(bnpl, days, Step("enter_landed_days", "books of what has landed", _enter_landed))
    shown = _show_earlier_versions(bnpl, folder, days)
    after = _totals(bnpl.books.current(DOMAIN))
    differing = tuple(sorted(k for k, totals in before.items() if after.get(k) != totals))
    return Rebuilt(report, shown, not before, len(before) - len(differing), differing)


def _totals(entries: Iterable[Entry]) -> dict[HopDay, Mapping[Side, Totals]]:
    return {(e.key.hop, e.key.book_date): e.totals for e in entries if e.status in _SETTLED}


def _run(bnpl: Bnpl, days: Sequence[dt.date], first: Step[Bnpl]) -> RunReport:
    """A first step that chooses from the days, then all steps after the pull."""
    window = Window(min(days), max(days))
    steps = (first, *PIPELINE[1:])
    return run_steps(steps, bnpl, window, run_id=bnpl.run_id, progress=bnpl.progress)


def _enter_landed(bnpl: Bnpl, days: Sequence[dt.date]) -> StepReport:
    """Enter what has landed by the requests of its manifests. Days without any are left out."""
    by_day = bnpl.landing.days(SOURCE, Window(min(days), max(days)))
    landed = {day: objects for day, objects in by_day.items() if objects}
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(bnpl.reader.measure, landed):
            bnpl.progress.advance()
    known = bnpl.entries(SOURCE_TO_LANDING, list(landed))
    keys = {
        day: known[day].key if day in known else key_of_pull(bnpl, day, _request(objects))
        for day, objects in landed.items()
    }
    clerk = Clerk(bnpl.books, bnpl.hops[SOURCE_TO_LANDING], bnpl.run_id)
    plan = clerk.plan(keys, {day: key.entry_id for day, key in keys.items()})
    clerk.close(keys[day] for day in plan.redo)
    return StepReport(done=list(landed))


def _request(objects: Sequence[LandedObject]) -> dict[str, Any]:
    """What the source was last asked for a day: rows that were mended were not asked for."""
    pulls = [o for o in objects if "mends" not in o.request]
    return (pulls or list(objects))[-1].request


class _EarlierLanding(Landing):
    """Landing as it was when only the first so many versions of some days had come."""

    def __init__(self, folder: ObjectFolder, versions: Mapping[dt.date, int]) -> None:
        super().__init__(folder)
        self._versions = versions

    def objects(self, source: str, book_date: dt.date) -> list[LandedObject]:
        return super().objects(source, book_date)[: self._versions.get(book_date)]

    def days(self, source: str, window: Window) -> dict[dt.date, list[LandedObject]]:
        landed = super().days(source, window)
        return {day: objects[: self._versions.get(day)] for day, objects in landed.items()}


def _show_earlier_versions(
    bnpl: Bnpl, folder: ObjectFolder, days: Sequence[dt.date]
) -> dict[dt.date, tuple[int, int]]:
    """Publish, of days that are not published as they are, the newest earlier state that passes."""
    landed = bnpl.landing.days(SOURCE, Window(min(days), max(days)))
    unseen = _unpublished(bnpl, [day for day in days if len(landed[day]) > 1])
    tried = {day: len(landed[day]) - 1 for day in unseen}
    waiting = dict(tried)
    while waiting:
        _run(_with_versions(bnpl, folder, waiting), list(waiting), _only(waiting))
        left = _unpublished(bnpl, waiting)
        waiting = {day: waiting[day] - 1 for day in left if waiting[day] > 1}
        tried |= waiting
    if unseen:  # the books' current entries are those of all that landed
        _run(bnpl, unseen, _only(unseen))
    still_unseen = _unpublished(bnpl, unseen)
    return {d: (tried[d], len(landed[d])) for d in unseen if d not in still_unseen}


def _unpublished(bnpl: Bnpl, days: Iterable[dt.date]) -> list[dt.date]:
    pointers = bnpl.engine.pointers(DOMAIN, DATASET)
    return [day for day in days if day not in pointers]


def _only(days: Iterable[dt.date]) -> Step[Bnpl]:
    chosen = sorted(days)
    return Step("earlier_versions", "", lambda _bnpl, _days: StepReport(done=chosen))


def _with_versions(bnpl: Bnpl, folder: ObjectFolder, versions: Mapping[dt.date, int]) -> Bnpl:
    """The domain's parts over landing as it was at so many versions of each day."""
    landing = _EarlierLanding(folder, versions)
    reader = replace(bnpl.reader, landing=landing)
    hops = spine(bnpl.contract, reader, bnpl.lake, bnpl.engine, bnpl.quarantine)
    return replace(bnpl, landing=landing, reader=reader, hops=hops)
