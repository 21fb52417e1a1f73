"""One record on one screen, as a person reads it."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from clearhouse.cli.app import out
from clearhouse.pipeline.trace import Trace

_ENTRY_ID_DIGITS_WHEN_NARROW = 12
_WIDTH_OF_WHOLE_IDS = 110


def show_trace(one: Trace) -> None:
    """One version of a record, from the raw line to what readers see."""
    out.rule(f"[bold]record {one.record_id}[/]", align="left")
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    grid.add_row("raw", f"{one.raw_place or ''}\n{escape(one.raw or '')}")
    if one.quarantined:
        for v in one.quarantined.violations:
            told = f"{v.field or 'record'}: {v.code}: {escape(v.detail)}"
            grid.add_row("[red]quarantine[/]", told)
    for name, row in (("bronze", one.bronze), ("silver", one.silver)):
        if row:
            replaced = name == "silver" and row["_is_superseded"]
            grid.add_row(name, _brief(row) + (f", {_superseded(one)}" if replaced else ""))
    for row in one.gold:
        grid.add_row("gold", f"{_brief(row)}, {'' if row['_is_published'] else 'not '}published")
    if one.bronze:
        grid.add_row("readers", _readers(one))
    out.print(grid)
    if one.entries:
        out.print(f"\nEntries of {one.bronze['_book_date'] if one.bronze else 'its day'}:")
        _show_entries(one.entries)
    out.print()


def _readers(one: Trace) -> str:
    if one.is_visible:
        return "[green]visible[/]"
    if one.superseded_by:
        return f"[yellow]not visible[/]: {_superseded(one)}"
    if one.hidden_because == "duplicate":
        return f"[yellow]not visible[/]: the same bytes had arrived on {one.first_arrived_on}"
    held = any(entry["status"] == "held" for entry in one.entries)
    return f"[yellow]not visible[/]: its day is {'held' if held else 'not published'}"


def _superseded(one: Trace) -> str:
    by = one.superseded_by
    if by is None:
        return "superseded"
    return f"superseded by record {by['record_id']}, which arrived on {by['book_date']}"


def _show_entries(entries: list[dict[str, Any]]) -> None:
    whole = out.width >= _WIDTH_OF_WHOLE_IDS
    grid = Table.grid(padding=(0, 2, 0, 0))
    for entry in entries:
        entry_id = entry["entry_id"]
        digits = entry_id if whole else f"{entry_id[:_ENTRY_ID_DIGITS_WHEN_NARROW]}…"
        grid.add_row(entry["hop"], entry["status"], f"[dim]{digits}[/]")
    out.print(grid)
    for entry in entries:
        for what, told in (("held by", entry["held"]), ("released past", entry["released"])):
            for gate, why in told.items():
                out.print(
                    f"[yellow]{entry['hop']}: {what} {gate}[/]: {escape(why)}", soft_wrap=True
                )


def _brief(row: dict[str, Any]) -> str:
    told = {
        k: row[k]
        for k in ("_book_date", "amount", "amount_minor", "currency", "customer_id")
        if k in row
    }
    return escape(" ".join(f"{k.removeprefix('_')}={v}" for k, v in told.items()))
