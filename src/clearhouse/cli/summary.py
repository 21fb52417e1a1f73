"""The end of a run as a person reads it: what came, what readers see, what was set aside and why.

What went wrong goes to standard error, the rest to standard output. Days that stopped for the same
cause share a line.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from rich.markup import escape

from clearhouse.books.model import Totals, canonical_measures
from clearhouse.cli.app import err, out
from clearhouse.cli.report import command, release_command, show_journal
from clearhouse.cli.words import amounts, counted, days_in_words
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.runner import RunReport
from clearhouse.pipeline.summary import Summary, too_few

_MOST_CAUSES = 12
_MOST_CURRENCIES = 3
_FIGURE = re.compile(r"\d[\d,.]*")
_COLOURS = {"held": "yellow", "incomplete": "yellow", "failed": "red", "unbalanced": "bold red"}


def show_summary(run: Run, report: RunReport, summary: Summary) -> None:
    """What a run came to."""
    for line in _outcome(run, summary):
        out.print(line, soft_wrap=True)
    for path in (path for step in report.steps.values() for path in step.files):
        out.print(f"Written: {path}", soft_wrap=True, markup=False)
    show_stopped(run, report, summary)
    show_journal(run.journal.head())


def _outcome(run: Run, summary: Summary) -> Iterable[str]:
    """Records and money in and out, and what was set aside on the way."""
    if summary.landed.records:
        yield (
            f"Landed: {_records(summary.landed)}. "
            f"Readers see {counted(len(summary.published), 'day')} with "
            f"{_records(summary.visible)}; {len(summary.changed):,} changed in this run."
        )
    if summary.rejected:
        reasons = ", ".join(f"{n:,} {code}" for code, n in summary.rejected.most_common())
        rejected = summary.rejected_money
        of_landed = f"{rejected.records:,} of {counted(summary.landed.records, 'record')}"
        yield (
            f"[yellow]Rejected[/]: {', '.join([of_landed, *amounts(rejected)])} ({reasons}). "
            f"`{command()} quarantine list --domain {run.name}` shows them."
        )
    if summary.superseded.records:
        yield f"[yellow]Superseded[/]: {_records(summary.superseded)}, older versions of records."
    if summary.before != summary.after:
        yield (
            f"[yellow]Corrected[/]: readers saw {_whole(summary.before)} of these days before, "
            f"and see {_whole(summary.after)} now."
        )
    if run.unknown_values:
        listed = ", ".join(
            f"{field}={value} ({n:,})" for (field, value), n in run.unknown_values.most_common(10)
        )
        yield f"[yellow]Values that the contract does not know, kept[/]: {escape(listed)}."


def _records(totals: Totals) -> str:
    """Records with their money; of money in many currencies, which `books` lists, their number."""
    told = amounts(totals)
    if len(told) > _MOST_CURRENCIES:
        return f"{counted(totals.records, 'record')} in {len(told)} currencies"
    return _whole(totals)


def _whole(totals: Totals) -> str:
    return ", ".join([counted(totals.records, "record"), *amounts(totals)])


def show_stopped(run: Run, report: RunReport, summary: Summary | None = None) -> None:
    """Days that did not go through, by cause, and what to do about them."""
    causes: dict[tuple[str, str, str], list[tuple[date, str]]] = {}
    for day, step, kind, why in report.stopped():
        cause = _FIGURE.sub("#", why.replace(str(day), "DAY"))
        causes.setdefault((kind, step, cause), []).append((day, why))
    for (kind, step, _), found in list(causes.items())[:_MOST_CAUSES]:
        days = [day for day, _ in found]
        example = "" if len(days) == 1 else f" (on {days[0]})"
        err.print(
            f"[{_COLOURS[kind]}]{days_in_words(days)} {kind}[/] by {step}: "
            f"{escape(found[0][1])}{example}",
            soft_wrap=True,
        )
    if len(causes) > _MOST_CAUSES:
        err.print(f"and {len(causes) - _MOST_CAUSES:,} more causes; --json has all.")
    held = [day for day, _, kind, _ in report.stopped() if kind == "held"]
    if held:
        _show_held(run, summary.kept if summary else (), held)
    if summary and summary.withdrawn:
        err.print(
            f"[yellow]{days_in_words(summary.withdrawn)} withdrawn[/]: readers saw it before, and "
            "a gate holds it now.",
            soft_wrap=True,
        )


def _show_held(run: Run, still_seen: Sequence[date], held: Sequence[date]) -> None:
    kept = sorted(set(still_seen))
    unseen = [day for day in held if day not in kept]
    if unseen:
        err.print(f"Readers don't see {days_in_words(unseen)}.", soft_wrap=True)
    if kept:
        err.print(
            f"Readers see {days_in_words(kept)} as it was before this correction.", soft_wrap=True
        )
    if few := too_few(run, held):
        again = f"{command()} run {run.name} --from {few[0]} --to {few[0]} --refresh"
        err.print("If the source has the rest by now, pull it again:", soft_wrap=True)
        err.print(f"  {again}", soft_wrap=True, markup=False)
    err.print("To publish a day as it is (docs/guides/held-day.md):", soft_wrap=True)
    err.print(f"  {release_command(run.name, held[0])}", soft_wrap=True, markup=False)


def summary_as_data(summary: Summary) -> dict[str, Any]:
    """A summary for a program."""

    def totals(of: Totals) -> dict[str, int]:
        return canonical_measures(of)

    return {
        "published": [str(day) for day in summary.published],
        "changed": [str(day) for day in summary.changed],
        "withdrawn": [str(day) for day in summary.withdrawn],
        "landed": totals(summary.landed),
        "visible": totals(summary.visible),
        "rejected": dict(summary.rejected),
        "superseded": totals(summary.superseded),
        "corrected": {"before": totals(summary.before), "after": totals(summary.after)},
    }
