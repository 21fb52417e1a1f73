"""The books as tables: the trial balance and the entries, readable from 80 columns on.

A table is tried in its wide form first; where that does not fit, the currency goes into the
head, the gaps shrink, a hash is cut and a hop's name wraps. Money in many currencies is a note
below the table, which rows with the same money share. `--json` has everything whole.
"""

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from clearhouse.books.audit import Audit
from clearhouse.books.decisions import Decision
from clearhouse.books.model import HASH, Entry, Side, Status, Totals
from clearhouse.cli.app import out
from clearhouse.cli.report import release_command
from clearhouse.cli.words import amounts, counted

_SET_ASIDE = (Side.DUPLICATE, Side.SUPERSEDED, Side.REJECTED, Side.IGNORED, Side.HELD)
_COLUMNS = {
    Side.DUPLICATE: "dup.",
    Side.SUPERSEDED: "sup.",
    Side.REJECTED: "rej.",
    Side.IGNORED: "ign.",
    Side.HELD: "held",
}
_SELDOM = (Side.IGNORED, Side.HELD)
"""Columns that are shown where they count anything."""
_COLOURS = {
    Status.BALANCED: "green",
    Status.UNBALANCED: "bold red",
    Status.HELD: "yellow",
    Status.FAILED: "red",
    Status.OPEN: "dim",
}
_HASH_DIGITS_WHEN_NARROW = 6
_LEFT = ("date", "hop", "hash out", "hash", "status")
_ANY_WIDTH = 10_000
_MOST_CURRENCIES = 3
"""That a row shows by itself."""

Decisions = Mapping[str, Sequence[Decision]]
"""What gates and people decided, by entry id."""


def show_trial_balance(audited: Audit) -> None:
    """One line a hop: all its days added up."""
    days = len({e.key.book_date for e in audited.entries})
    ignored = " + ignored" if _counts(audited, Side.IGNORED) else ""
    out.print(
        f"\n[bold]Trial balance[/] of {counted(days, 'day')}: "
        f"in = out + duplicate + superseded + rejected{ignored} + held"
    )
    notes = _Notes()
    _print_fitting(
        [_trial_balance(audited, currency, notes) for currency in (None, _only(audited))], notes
    )
    status = {s: sum(e.status is s for e in audited.entries) for s in Status}
    told = ", ".join(f"[{_COLOURS[s]}]{n:,} {s}[/]" for s, n in status.items() if n)
    out.print(f"Entries: {told}")


def _trial_balance(audited: Audit, currency: str | None, notes: "_Notes") -> Table:
    shown = [side for side in _COLUMNS if side not in _SELDOM or _counts(audited, side)]
    table = _table(
        "hop", "in", "out", *(_COLUMNS[side] for side in shown), _amount_head(currency), "apart",
        is_wide=currency is None,
    )  # fmt: skip
    for hop in dict.fromkeys(e.key.hop for e in audited.entries):
        entries = [e for e in audited.entries if e.key.hop == hop]
        amount = _amount(_sum(entries, Side.OUT), currency, notes)
        table.add_row(*_hop_row(hop, entries, shown, amount))
    return table


def _counts(audited: Audit, side: Side) -> bool:
    """Whether any record is on a side."""
    return any(e.totals[side].records for e in audited.entries if side in e.totals)


def _hop_row(hop: str, entries: Sequence[Entry], shown: Sequence[Side], amount: str) -> list[str]:
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
        *(f"{sides[side].records:,}" for side in shown),
        amount,
        f"[{'bold red' if unbalanced else 'green'}]{difference}[/]",
    ]


def show_entries(domain: str, audited: Audit, decisions: Decisions) -> None:
    """One line an entry, then why days are held and for which reasons others were released."""
    entries = sorted(audited.entries, key=lambda e: e.key.book_date)
    released = {e.entry_id for e in entries if releases(decisions.get(e.entry_id, ()))}
    layouts = ((None, True), (None, False), (_only(audited), False))
    notes = _Notes()
    _print_fitting([_entries(entries, released, notes, *layout) for layout in layouts], notes)
    for entry in entries:
        _show_decisions(domain, entry, decisions.get(entry.entry_id, ()))


def releases(decisions: Iterable[Decision]) -> dict[str, str]:
    """The reasons by which an entry passed gates that it failed, by gate."""
    return {d.gate: d.release_reason for d in decisions if not d.passed and d.release_reason}


def _entries(
    entries: Iterable[Entry],
    released: set[str],
    notes: "_Notes",
    currency: str | None,
    is_wide: bool,
) -> Table:
    table = _table(
        "date", "hop", "in", "out", "set aside" if is_wide else "aside", _amount_head(currency),
        "hash out" if is_wide else "hash", "status",
        is_wide=is_wide,
    )  # fmt: skip
    for e in entries:
        leaving = e.totals.get(Side.OUT, Totals())
        digits = str(leaving[HASH])
        if not is_wide:
            digits = digits[:_HASH_DIGITS_WHEN_NARROW] + "…"
        status, colour = (
            ("released", "yellow")
            if e.entry_id in released and e.status is Status.BALANCED
            else (str(e.status), _COLOURS[e.status])
        )
        table.add_row(
            str(e.key.book_date), e.key.hop,
            f"{e.totals[Side.IN].records:,}" if Side.IN in e.totals else "–",
            f"{leaving.records:,}", _aside(e, is_wide), _amount(leaving, currency, notes),
            digits, f"[{colour}]{status}[/]",
        )  # fmt: skip
    return table


def _aside(entry: Entry, is_wide: bool) -> str:
    aside = {s: entry.totals[s].records for s in _SET_ASIDE if s in entry.totals}
    if not is_wide:
        return f"{sum(aside.values()):,}"
    return ", ".join(f"{n:,} {side}" for side, n in aside.items() if n) or "0"


def _show_decisions(domain: str, entry: Entry, decisions: Sequence[Decision]) -> None:
    head = f"{entry.key.book_date}, {entry.key.hop}"
    for decision in decisions:
        if decision.holds and entry.status is Status.HELD:
            why = escape("; ".join(decision.failures))
            out.print(f"[yellow]{head}: held[/] by {decision.gate}: {why}", soft_wrap=True)
            print(f"  {release_command(domain, entry.key.book_date)}")
    for gate, reason in releases(decisions).items():
        out.print(f"[yellow]{head}: released[/] past {gate}: {escape(reason)}", soft_wrap=True)


def _table(*columns: str, is_wide: bool) -> Table:
    """A table without a frame, two blanks between columns, or one where it is to be narrow."""
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, int(is_wide), 0, 0)
    )
    for name in columns:
        table.add_column(name, justify="left" if name in _LEFT else "right", no_wrap=name != "hop")
    return table


class _Notes:
    """Money in many currencies, told once below a table."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}

    def of(self, told: Sequence[str]) -> str:
        """What a row says instead; rows with the same money name the same note."""
        number = self._numbers.setdefault(tuple(told), len(self._numbers) + 1)
        return f"{len(told)} currencies ({number})"

    def show(self) -> None:
        """Print all notes."""
        for told, number in self._numbers.items():
            out.print(f"({number}) {', '.join(told)}", highlight=False)
        if self._numbers:
            out.print()


def _print_fitting(tables: Sequence[Table], notes: _Notes) -> None:
    """Print the first table that fits, or the last, and its notes."""
    room = out.options.update(max_width=_ANY_WIDTH)
    fitting = [t for t in tables if Measurement.get(out, room, t).maximum <= out.width]
    out.print()
    out.print(next(iter(fitting), tables[-1]))
    out.print()
    notes.show()


def _only(audited: Audit) -> str | None:
    """The currency, where all amounts are in one."""
    found = {c for e in audited.entries for t in e.totals.values() for c, _ in t.amounts()}
    return found.pop() if len(found) == 1 else None


def _amount_head(currency: str | None) -> str:
    return f"{currency} out" if currency else "amount out"


def _amount(totals: Totals, currency: str | None, notes: _Notes) -> str:
    """Amounts, a line each, or a note; without the currency where the column's head has it."""
    told = amounts(totals)
    if len(told) > _MOST_CURRENCIES:
        return notes.of(told)
    return "\n".join(a.removesuffix(f" {currency}") for a in told) or "0"


def _sum(entries: Sequence[Entry], side: Side) -> Totals:
    return sum((e.totals[side] for e in entries if side in e.totals), Totals())
