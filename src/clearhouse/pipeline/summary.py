"""What a run came to, from the books: days, records and money, and what was set aside."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from clearhouse.books.model import Side, Status, Totals
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.profiles import raw_profile
from clearhouse.pipeline.runner import RunReport


@dataclass
class Summary:
    """The outcome of a run over its days.

    Attributes:
        published: days that readers see, and of them those whose rows changed in this run.
        landed, visible: records and money that came in, and that readers see of these days.
        rejected: number of quarantined rows by reason.
        rejected_money: records and money of them.
        superseded: older versions of corrected records, with their money.
        before, after: what readers saw, and see now, of days that they saw before this run and
            whose rows it changed.
        withdrawn: days that readers saw before and don't see now.
        kept: held days of which readers see an earlier state.
    """

    published: list[dt.date] = field(default_factory=list)
    changed: list[dt.date] = field(default_factory=list)
    landed: Totals = field(default_factory=Totals)
    visible: Totals = field(default_factory=Totals)
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_money: Totals = field(default_factory=Totals)
    superseded: Totals = field(default_factory=Totals)
    before: Totals = field(default_factory=Totals)
    after: Totals = field(default_factory=Totals)
    withdrawn: list[dt.date] = field(default_factory=list)
    kept: list[dt.date] = field(default_factory=list)


def summarize(run: Run, report: RunReport, days: Sequence[dt.date], seen: "Seen") -> Summary:
    """The summary of a run.

    Args:
        run: the domain's parts, after the run.
        report: what its steps said.
        days: the days of the run.
        seen: what readers saw of them before.
    """
    summary = Summary()
    held = {day for step in report.steps.values() for day in step.held}
    for dataset in run.chosen:
        names = dataset.names
        pointers = run.publications.pointers(dataset.id, days)
        before = seen.pointers.get(dataset.id, {})
        summary.published += sorted(pointers)
        changed = [d for d, e in sorted(pointers.items()) if before.get(d) != e]
        summary.changed += changed
        summary.withdrawn += sorted(set(before) - set(pointers))
        bronze = run.books.current(run.name, names.bronze, days)
        gold = run.books.current(run.name, names.gold, days)
        its_held = {e.key.book_date for e in (*bronze, *gold) if e.status is Status.HELD}
        summary.kept += sorted(held & its_held & set(pointers))
        readers = run.books.current(run.name, names.readers, days)
        silver = run.books.current(run.name, names.silver, days)
        summary.landed += _sum([e.totals.get(Side.IN, Totals()) for e in bronze])
        summary.rejected_money += _sum([e.totals.get(Side.REJECTED, Totals()) for e in bronze])
        summary.visible += _sum([e.totals.get(Side.OUT, Totals()) for e in readers])
        summary.superseded += _sum(
            [e.totals.get(Side.SUPERSEDED, Totals()) for e in (*silver, *readers)]
        )
        for _, code, count in run.quarantine.counts(dataset.id, days):
            summary.rejected[code] += count
        corrected = [d for d in changed if d in before]
        summary.before += _sum([seen.totals.get((dataset.id, d), Totals()) for d in corrected])
        summary.after += _sum(
            [e.totals.get(Side.OUT, Totals()) for e in readers if e.key.book_date in corrected]
        )
    for name in ("published", "changed", "withdrawn", "kept"):  # a day once, of several datasets
        setattr(summary, name, sorted({*getattr(summary, name)}))
    return summary


def too_few(run: Run, days: Sequence[dt.date]) -> list[dt.date]:
    """Days with fewer records than a healthy one has, as the raw gate counts them."""
    band = run.domain.volume_band
    if band is None:
        return []
    records: Counter[dt.date] = Counter()
    for dataset in run.chosen:
        entered = list(run.entries(dataset.names.bronze, days))
        for day, profile in raw_profile(run, dataset, entered, {}).items():
            records[day] += profile["net_rows"]
    return [day for day in days if records[day] < band(run.settings, day)[0]]


@dataclass
class Seen:
    """What readers saw of some days: pointers by dataset, and totals by dataset and day."""

    pointers: dict[str, dict[dt.date, str]] = field(default_factory=dict)
    totals: dict[tuple[str, dt.date], Totals] = field(default_factory=dict)

    @classmethod
    def now(cls, run: Run, days: Sequence[dt.date]) -> "Seen":
        """What readers see now, as the books have it."""
        found = cls()
        for dataset in run.chosen:
            found.pointers[dataset.id] = run.publications.pointers(dataset.id, days)
            for entry in run.books.current(run.name, dataset.names.readers, days):
                found.totals[dataset.id, entry.key.book_date] = entry.totals.get(Side.OUT, Totals())
        return found


def _sum(totals: Sequence[Totals]) -> Totals:
    return sum(totals, Totals())
