"""Faults put into a ledger on purpose: what each does to the entries of a period.

The entries are numbered after it, so that a fault shows nothing but itself: an entry that comes
twice has a number of its own, and the numbers stay gapless unless the fault is a gap.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from clearhouse.sandbox.gl.entries import ENTRY_TYPES, NONE, SOURCES, Draft, in_order
from clearhouse.sandbox.gl.numbers import Ints, Mask
from clearhouse.sandbox.gl.world import Month, Planted, World
from clearhouse.sandbox.times import DAY_SECONDS

DUPLICATE_INVOICE = "duplicate_invoice"
ENTRY_AFTER_CLOSE = "entry_after_close"
MISPOSTED_WELL = "misposted_well"
ONE_CENT_IMBALANCE = "one_cent_imbalance"
DECK_NOT_ONE = "deck_not_one"
UNAPPROVED = "unapproved"
MISSING_NUMBER = "missing_number"
REVERSED_TWICE = "reversed_twice"
KINDS = (
    DUPLICATE_INVOICE,
    ENTRY_AFTER_CLOSE,
    MISPOSTED_WELL,
    ONE_CENT_IMBALANCE,
    DECK_NOT_ONE,
    UNAPPROVED,
    MISSING_NUMBER,
    REVERSED_TWICE,
)
_OF_INVOICES = (DUPLICATE_INVOICE, ENTRY_AFTER_CLOSE, MISPOSTED_WELL, DECK_NOT_ONE)

REACH = 3
"""How many periods back an entry after close may lie."""
_CLOSED_AFTER_DAYS = 20  # a period is surely closed so many days after its end
_WRONG_SHARE = 1_000_000  # a hundredth
_LATER_SECONDS = 1_800


@dataclass(frozen=True)
class _Hit:
    """A fault with the entry that it falls on: its row in the draft of the month of its day."""

    number: int
    fault: Planted
    row: int


def planted(world: World, number: int, sound: Callable[[int], Draft]) -> Draft:
    """The draft of a month with the ledger's faults.

    Args:
        world: the ledger's, with its faults.
        number: of the month.
        sound: the drafts of months without faults.
    """
    hits = _hits(world, world.month(number), sound(number))
    draft = sound(number)
    entries, lines = (
        {k: v.copy() for k, v in each.items()} for each in (draft.entries, draft.lines)
    )
    for hit in hits:
        _change(world, hit, draft, entries, lines)
    moved = [hit.row for hit in hits if hit.fault.kind == ENTRY_AFTER_CLOSE]
    kept = ~np.isin(lines["entry"], moved)
    lines = {name: values[kept] for name, values in lines.items()}
    more = [_copy(draft, hit, _again(world, hit, draft)) for hit in hits if _comes_again(hit)]
    for later in range(number + 1, number + 1 + REACH):
        if _has_faults(world, later):
            month, later_draft = world.month(later), sound(later)
            more += [
                _copy(later_draft, hit, {"posted": world.month(number).last})
                for hit in _hits(world, month, later_draft)
                if hit.fault.kind == ENTRY_AFTER_CLOSE
                and _closed_before(world, month, hit) == number
            ]
    entries, lines = _joined(entries, lines, more)
    return _with_gaps(world, in_order(entries, lines))


def is_possible(world: World, month: Month, kind: str, day: int) -> bool:
    """Whether a day can have a fault of this kind: some need what went before."""
    if kind == ENTRY_AFTER_CLOSE:
        return _closed_before(world, month, _Hit(0, Planted(kind, day, 0), 0)) >= 0
    return kind != REVERSED_TWICE or month.number > 0


def _has_faults(world: World, number: int) -> bool:
    month = world.month(number)
    return any(month.first <= fault.day <= month.last for fault in world.faults)


def _hits(world: World, month: Month, draft: Draft) -> list[_Hit]:
    """The faults of a month with their entries, each another one."""
    hits: list[_Hit] = []
    for number, fault in enumerate(world.faults):
        if not month.first <= fault.day <= month.last:
            continue
        fits = _fitting(draft, month, fault)
        fits[[hit.row for hit in hits]] = False
        rows = np.flatnonzero(fits)
        if len(rows) and is_possible(world, month, fault.kind, fault.day):
            hits.append(_Hit(number, fault, int(rows[fault.draw % len(rows)])))
    return hits


def _fitting(draft: Draft, month: Month, fault: Planted) -> Mask:
    """Whether each entry can have the fault."""
    entries = draft.entries
    on_day = entries["recorded"] == fault.day
    if fault.kind == REVERSED_TWICE:
        reverses: Mask = (entries["reverses_tag"] != NONE) & (entries["recorded"] <= fault.day)
        return reverses
    if fault.kind in _OF_INVOICES:
        lines_of_wells = draft.lines["well"][draft.first_lines[:-1]] >= 0
        is_invoice = entries["source"] == SOURCES.index("AP")
        has_deck = draft.lines["share"][draft.first_lines[:-1]] != NONE
        is_plain = (entries["tag"] == NONE) & (entries["posted"] == entries["recorded"])
        fits: Mask = on_day & is_invoice & is_plain & lines_of_wells & has_deck
        return fits
    moves_money = draft.lines["amount"][draft.first_lines[:-1]] != 0
    is_common = entries["entry_type"] != ENTRY_TYPES.index("opening")
    common: Mask = on_day & moves_money & is_common & (entries["tag"] == NONE)
    return common


def _change(
    world: World, hit: _Hit, draft: Draft, entries: dict[str, Ints], lines: dict[str, Ints]
) -> None:
    """What a fault changes in its entry."""
    first, end = draft.first_lines[hit.row : hit.row + 2]
    kind = hit.fault.kind
    if kind in (MISPOSTED_WELL, ONE_CENT_IMBALANCE, DECK_NOT_ONE, UNAPPROVED, MISSING_NUMBER):
        entries["fault"][hit.row] = hit.number
    if kind == MISPOSTED_WELL:
        lines["shown_well"][first:end] = _elsewhere(world, int(lines["well"][first]))
    elif kind == ONE_CENT_IMBALANCE:
        lines["amount"][first] += 1 if lines["amount"][first] > 0 else -1
    elif kind == DECK_NOT_ONE:
        lines["share"][first] += _WRONG_SHARE
    elif kind == UNAPPROVED:
        entries["approver"][hit.row] = entries["user"][hit.row]


def _elsewhere(world: World, well: int) -> int:
    """A well of another lease, in another state if there is one."""
    wells = world.properties
    others = np.arange(wells.opened)
    other = others[wells.state[: wells.opened] != wells.state[well]]
    if not len(other):
        other = others[wells.lease[: wells.opened] != wells.lease[well]]
    return int(other[well % len(other)])


def _comes_again(hit: _Hit) -> bool:
    return hit.fault.kind in (DUPLICATE_INVOICE, REVERSED_TWICE)


def _again(world: World, hit: _Hit, draft: Draft) -> dict[str, int]:
    """What differs in the entry that comes again: the time."""
    later = int(draft.entries["second"][hit.row]) + _LATER_SECONDS
    second = min(later, DAY_SECONDS - 1)
    day = hit.fault.day
    return {"recorded": day, "posted": day, "second": second, "tag": NONE}


def _closed_before(world: World, month: Month, hit: _Hit) -> int:
    """The month into which an entry after close goes; below 0 where there is none.

    Not the last of a year: its closing entries have the last numbers.
    """
    is_late = hit.fault.day - month.first >= _CLOSED_AFTER_DAYS
    number = month.number - (1 if is_late else 2)
    if number >= 0 and world.is_year_end(world.month(number)):
        number -= 1
    return number


_Copy = tuple[dict[str, Ints], dict[str, Ints]]


def _copy(draft: Draft, hit: _Hit, changes: dict[str, int]) -> _Copy:
    """An entry and its lines once more, with some columns of the entry changed."""
    first, end = draft.first_lines[hit.row : hit.row + 2]
    entry = {name: values[hit.row : hit.row + 1] for name, values in draft.entries.items()}
    for name, value in {**changes, "fault": hit.number}.items():
        entry[name] = np.array([value])
    entry["dated"] = np.minimum(entry["dated"], entry["posted"])
    return entry, {name: values[first:end] for name, values in draft.lines.items()}


def _joined(entries: dict[str, Ints], lines: dict[str, Ints], more: Sequence[_Copy]) -> _Copy:
    start = len(entries["recorded"])
    for at, (entry, its_lines) in enumerate(more):
        entries = {name: np.append(entries[name], entry[name]) for name in entries}
        owner = np.full(len(its_lines["entry"]), start + at)
        of_entry = {**its_lines, "entry": owner}
        lines = {name: np.append(lines[name], of_entry[name]) for name in lines}
    return entries, lines


def _with_gaps(world: World, draft: Draft) -> Draft:
    """The draft with a number left out before each entry whose fault is a missing number."""
    gaps = [at for at, fault in enumerate(world.faults) if fault.kind == MISSING_NUMBER]
    is_after = np.isin(draft.entries["fault"], gaps)
    draft.entries["number"] = draft.entries["number"] + np.cumsum(is_after)
    return draft
