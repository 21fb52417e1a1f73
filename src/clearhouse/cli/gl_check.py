"""`gl check`: journal entries that are wrong, found in the lines that were recorded."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich import box
from rich.markup import escape
from rich.table import Table

from clearhouse.cli.app import leave, out, settings_of_stores
from clearhouse.cli.options import bounds
from clearhouse.cli.stores import opened_alone
from clearhouse.cli.words import counted
from clearhouse.core.errors import ExitCode
from clearhouse.gl.findings import Finding, found_in, recorded_lines
from clearhouse.gl.lines_dataset import LINES


def check(first: str | None, last: str | None, *, as_json: bool) -> None:
    """Show the findings of entries recorded from first to last, and end the command."""
    begin, end = bounds(first, last)
    found: list[Finding] = []
    with opened_alone(settings_of_stores(), "gl") as run:
        dataset = next(each for each in run.datasets if each.declared is LINES)
        if run.engine.has(LINES.gold):
            nothing = f"(SELECT * FROM {LINES.gold} WHERE false) AS nothing_is_published_yet"
            readers = LINES.readers if run.engine.has(LINES.readers) else nothing
            lines = recorded_lines(readers, dataset.id, LINES.gold)
            found = found_in(run.engine, lines, begin, end)
    if as_json:
        print(json.dumps([asdict(finding) for finding in found], default=str))
    else:
        if found:
            out.print(_table(found))
        out.print(f"{counted(len(found), 'finding')}.")
    leave(ExitCode.UNBALANCED if found else ExitCode.DONE)


def _table(found: Sequence[Finding]) -> Table:
    table = Table("recorded on", "entry", "kind", "reason", box=box.SIMPLE)
    table.add_column("amount", justify="right")
    for each in found:
        day, entry = str(each.recorded_on), escape(each.journal_entry)
        table.add_row(day, entry, each.kind, escape(each.reason), f"{each.amount:,.2f}")
    return table
