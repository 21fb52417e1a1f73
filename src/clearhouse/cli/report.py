"""What a person is shown of a run and of the audit, and the same as plain data."""

import shutil
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from clearhouse.books.audit import Audit, Finding
from clearhouse.books.journal import Head
from clearhouse.books.model import HASH, Entry, Side, canonical
from clearhouse.cli.app import out
from clearhouse.cli.words import amounts, counted
from clearhouse.core.paths import near
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.recompute import hash_query
from clearhouse.pipeline.runner import RunReport
from clearhouse.pipeline.trace import some_id


def show_broken_chain(broken: Iterable[str], to: Console = out) -> None:
    """Show where a chain of certificates does not hold."""
    for line in broken:
        to.print(f"[red]certificate chain, {escape(line)}[/]")


def show_journal(head: Head) -> None:
    """Show what stands for all that the books have recorded: to be kept elsewhere."""
    out.print(f"Journal: {head}", soft_wrap=True)


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
                "incomplete": {str(d): why for d, why in r.incomplete.items()},
                "files": [str(path) for path in r.files],
            }
            for name, r in report.steps.items()
        },
    }


def entries_as_data(
    entries: Iterable[Entry], released: Mapping[str, Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Entries for a program; one that passed by a release has the reasons by gate.

    Args:
        entries: what to tell of.
        released: reasons by gate, by entry id.
    """
    return [
        {
            "entry_id": e.entry_id,
            "domain": e.key.domain,
            "hop": e.key.hop,
            "book_date": str(e.key.book_date),
            "status": str(e.status),
            "totals": canonical(e.totals),
            **({"covers": e.key.covers} if e.key.covers else {}),
            **({"released": dict(reasons)} if (reasons := released.get(e.entry_id)) else {}),
        }
        for e in entries
    ]


def release_command(domain: str, day: date) -> str:
    """The command that publishes a held day."""
    return f'{command()} release {domain} --date {day} --reason "…"'


def show_findings(audited: Audit) -> None:
    """Where the books don't hold: each hop and day, and each record by name."""
    for finding in audited.findings:
        for line in finding_lines(finding):
            out.print(f"[red]{escape(line)}[/]", soft_wrap=True)


def finding_lines(finding: Finding) -> list[str]:
    """A finding in words, a line a record."""
    key = finding.entry.key
    head = f"{key.hop}, {key.book_date}"
    lines = [f"{head}: {named}" for named in finding.named]
    if finding.unnamed:
        lines.append(f"{head}: and {counted(finding.unnamed, 'record')} more")
    if finding.reason:
        return [f"{head}: {finding.reason}"]
    if not finding.named:
        money = ", ".join(amounts(finding.difference)) or "0"
        apart = f"{finding.difference.records:+,} records, {money}"
        if not finding.difference:
            apart = "as many records and as much money, but other rows"
        when = "was sealed when the day was closed"
        if not finding.unsealed:
            when = "the books say it held when the day was entered"
        lines.append(f"{head}: the store no longer holds what {when} ({apart})")
    return lines


def show_next(run: Run, audited: Audit, again: str) -> None:
    """A command that reproduces one hash without Clearhouse, and what to try next.

    Args:
        run: the domain's parts.
        audited: what was shown of the books.
        again: the command that was run, without the program's name.
    """
    dataset = run.dataset()
    bronze = [e for e in audited.entries if e.key.hop == dataset.names.bronze]
    entry = next((e for e in bronze if Side.OUT in e.totals and e.totals[Side.OUT].records), None)
    if entry is None:
        return
    day = entry.key.book_date
    out.print(f"\nBronze of {day} has the hash [bold]{entry.totals[Side.OUT][HASH]}[/].")
    out.print("Reproduce it without Clearhouse:\n")
    currencies = [currency for currency, _ in entry.totals[Side.OUT].amounts()]
    figures = hash_query(dataset, run.lake.files(dataset.id, [day]), currencies)
    print(f'  {duckdb_command()} -noheader -list -c "{figures}"')
    days = sorted({e.key.book_date for e in audited.entries if e.key.book_date >= day})
    hints = {
        f"{again} --steal 1": "delete a row behind the books",
        "books": "every entry, measured again",
    }
    traced = some_id(run, days)
    if traced:
        hints[f"trace {traced}"] = "one record, raw to published"
    print(f"\nNext:\n{_two_columns(hints)}")


def _two_columns(hints: Mapping[str, str]) -> str:
    longest = max(map(len, hints))
    return "\n".join(f"  {command()} {told:<{longest}}  {why}" for told, why in hints.items())


def command() -> str:
    """How this program is called from here."""
    return _shown(Path(sys.executable).with_name("clearhouse"), "clearhouse")


def duckdb_command() -> str:
    """The DuckDB command line that came with the installation, or the one on the path."""
    return _shown(Path(sys.executable).with_name("duckdb"), "duckdb")


def _shown(path: Path, name: str) -> str:
    on_path = shutil.which(name)
    if on_path and Path(on_path).resolve() == path.resolve():
        return name
    return near(str(path)) if path.exists() else name
