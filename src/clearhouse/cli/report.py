"""What a person is shown of a run and of the books, and the same as plain data."""

import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import JustifyMethod
from rich.table import Table

from clearhouse.bnpl.closing import hash_query
from clearhouse.bnpl.context import DATASET, LANDING_TO_BRONZE, Bnpl
from clearhouse.cli.app import out
from clearhouse.core.books.audit import Audit, Finding
from clearhouse.core.books.model import HASH, Entry, Side, Status, Totals, canonical
from clearhouse.core.money import Money
from clearhouse.core.runner import RunReport

_SET_ASIDE = (Side.DUPLICATE, Side.SUPERSEDED, Side.REJECTED, Side.IGNORED)
_COLOURS = {
    Status.BALANCED: "green",
    Status.UNBALANCED: "bold red",
    Status.HELD: "yellow",
    Status.FAILED: "red",
    Status.OPEN: "dim",
}


def run_as_data(report: RunReport) -> dict[str, Any]:
    """A run for a program."""
    return {
        "run_id": report.run_id,
        "window": [str(report.window.first), str(report.window.last)],
        "exit_code": int(report.exit_code),
        "steps": {
            name: {
                "done": [str(d) for d in r.done],
                "skipped": [str(d) for d in r.skipped],
                "held": {str(d): why for d, why in r.held.items()},
                "failed": {str(d): why for d, why in r.failed.items()},
                "unbalanced": {str(d): why for d, why in r.unbalanced.items()},
            }
            for name, r in report.steps.items()
        },
    }


def entries_as_data(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Entries for a program."""
    return [
        {
            "entry_id": e.entry_id,
            "domain": e.key.domain,
            "hop": e.key.hop,
            "book_date": str(e.key.book_date),
            "status": str(e.status),
            "totals": canonical(e.totals),
        }
        for e in entries
    ]


def show_stopped(report: RunReport) -> None:
    """Every day that did not go through, with its reason."""
    for day, step, kind, why in report.stopped():
        out.print(f"[yellow]{day} {kind}[/] by {step}: {_plain(why)}", soft_wrap=True)
    if any(kind == "held" for _, _, kind, _ in report.stopped()):
        out.print("Readers don't see held days. See docs/guides/held-day.md for what to do.")


def show_trial_balance(audited: Audit) -> None:
    """One line a hop: all its days added up. Fits a terminal of 80 columns."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    columns = {"hop": 17, "in": 9, "out": 9, "dup.": 5, "sup.": 5, "rej.": 5, "amount out": 18}
    for name, width in columns.items():
        justify: JustifyMethod = "left" if name == "hop" else "right"
        table.add_column(name, justify=justify, no_wrap=True, min_width=width if width > 5 else 4)
    table.add_column("apart", justify="right", no_wrap=True, min_width=7)
    hops = list(dict.fromkeys(e.key.hop for e in audited.entries))
    for hop in hops:
        table.add_row(*_hop_row(hop, [e for e in audited.entries if e.key.hop == hop]))
    days = len({e.key.book_date for e in audited.entries})
    out.print(
        f"\n[bold]Trial balance[/] of {days} days: in = out + duplicate + superseded + rejected"
    )
    out.print(table)
    counted = {s: sum(e.status is s for e in audited.entries) for s in Status}
    told = ", ".join(f"[{_COLOURS[s]}]{n} {s}[/]" for s, n in counted.items() if n)
    out.print(f"Entries: {told}")


def _hop_row(hop: str, entries: Sequence[Entry]) -> list[str]:
    sides = {side: _sum(entries, side) for side in Side}
    has_in = any(Side.IN in e.totals for e in entries)
    apart = sum((e.difference for e in entries), Totals())
    unbalanced = any(e.status is Status.UNBALANCED for e in entries)
    difference = "–" if not has_in else "0"
    if apart.records:
        difference = f"{apart.records:+,}"
    elif unbalanced:
        difference = "changed"
    return [
        hop,
        f"{sides[Side.IN].records:,}" if has_in else "–",
        f"{sides[Side.OUT].records:,}",
        *(f"{sides[s].records:,}" for s in (Side.DUPLICATE, Side.SUPERSEDED, Side.REJECTED)),
        _amounts(sides[Side.OUT]),
        f"[{'bold red' if unbalanced else 'green'}]{difference}[/]",
    ]


def _sum(entries: Sequence[Entry], side: Side) -> Totals:
    return sum((e.totals[side] for e in entries if side in e.totals), Totals())


def _amounts(totals: Totals) -> str:
    return ", ".join(f"{_grouped(Money(minor, c))}" for c, minor in totals.amounts())


def _grouped(money: Money) -> str:
    text, _, currency = str(money).partition(" ")
    whole, dot, fraction = text.partition(".")
    return f"{int(whole):,}{dot}{fraction} {currency}" if whole not in ("-0", "0") else str(money)


def show_entries(entries: Iterable[Entry]) -> None:
    """One line an entry."""
    table = Table()
    for name in ("date", "hop", "in", "out", "set aside", "amount out", "hash out", "status"):
        right = name in ("in", "out", "set aside", "amount out")
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for e in sorted(entries, key=lambda e: e.key.book_date):
        aside = {s: e.totals[s].records for s in _SET_ASIDE if s in e.totals}
        told = ", ".join(f"{n:,} {side}" for side, n in aside.items() if n)
        into = f"{e.totals[Side.IN].records:,}" if Side.IN in e.totals else "–"
        leaving = e.totals.get(Side.OUT, Totals())
        colour = _COLOURS[e.status]
        table.add_row(
            str(e.key.book_date), e.key.hop, into, f"{leaving.records:,}", told or "0",
            _amounts(leaving), str(leaving[HASH]), f"[{colour}]{e.status}[/]",
        )  # fmt: skip
    out.print(table)


def show_findings(audited: Audit) -> None:
    """Where the books don't hold: each hop and day, and each record by name."""
    for finding in audited.findings:
        for line in finding_lines(finding):
            out.print(f"[red]{_plain(line)}[/]", soft_wrap=True)


def finding_lines(finding: Finding) -> list[str]:
    """A finding in words, a line a record."""
    key = finding.entry.key
    head = f"{key.hop}, {key.book_date}"
    lines = [f"{head}: {named}" for named in finding.named]
    if finding.unnamed:
        lines.append(f"{head}: and {finding.unnamed} records more")
    if not finding.named:
        apart = f"{finding.difference.records:+} records, {_amounts(finding.difference) or '0'}"
        lines.append(
            f"{head}: the store no longer holds what the books say it held when the day was "
            f"entered ({apart})"
        )
    return lines


def show_next(bnpl: Bnpl, audited: Audit) -> None:
    """A command that reproduces one hash without Clearhouse, and what to try next."""
    entry = next((e for e in audited.entries if e.key.hop == LANDING_TO_BRONZE), None)
    if entry is None:
        return
    day = entry.key.book_date
    out.print(f"\nBronze of {day} has the hash [bold]{entry.totals[Side.OUT][HASH]}[/].")
    out.print("Reproduce it without Clearhouse:\n")
    print(
        f'  {duckdb_command()} -noheader -list -c "{hash_query(bnpl.lake.files(DATASET, [day]))}"'
    )
    clearhouse = _shown(Path(sys.executable).with_name("clearhouse"), "clearhouse")
    print(
        f"\nNext:\n  {clearhouse} demo --steal 1     delete a row behind the books' back\n"
        f"  {clearhouse} books              every entry, measured again\n"
        f"  {clearhouse} trace txn_…        one record on one screen: raw to published"
    )


def duckdb_command() -> str:
    """The DuckDB command line that came with the installation, or the one on the path."""
    return _shown(Path(sys.executable).with_name("duckdb"), "duckdb")


def _shown(path: Path, name: str) -> str:
    on_path = shutil.which(name)
    if on_path and Path(on_path).resolve() == path.resolve():
        return name
    return near(path) if path.exists() else name


def near(path: Path) -> str:
    """A path as one would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
