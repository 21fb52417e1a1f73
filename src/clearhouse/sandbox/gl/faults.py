"""Labelled faults: a ledger with faults put into it, and a table of where they are."""

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from clearhouse.core.errors import UsageError
from clearhouse.sandbox.gl.columns import ENTRIES_A_PERIOD
from clearhouse.sandbox.gl.ledger import Ledger
from clearhouse.sandbox.gl.numbers import Entity
from clearhouse.sandbox.gl.periods import draft_of
from clearhouse.sandbox.gl.planting import KINDS, MISSING_NUMBER, REACH, is_possible
from clearhouse.sandbox.gl.world import EPOCH, Planted, World
from clearhouse.sandbox.rng import stream

LABEL_SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string()),
        pa.field("journal_entry", pa.string()),
        pa.field("recorded_on", pa.date32()),
    ]
)
"""Of each fault its kind, the entry that shows it (of a missing number: the number that is not
there), and the day on which that entry (or the one after the gap) is recorded."""

_DRAWS = 1 << 30
_BEFORE = frozenset(range(-REACH, 0))  # numbers of months before the opening


def faulty(
    ledger: Ledger, seed: int, count: int, first: dt.date, last: dt.date
) -> tuple[pa.Table, pa.Table]:
    """The lines of a ledger from first to last with so many faults in them.

    Kinds come in turn. Faults fall on business days, and each on another entry.

    Args:
        ledger: without faults.
        seed: of the faults' places.
        count: of the faults.
        first: the first day.
        last: the last day.

    Returns:
        The lines, and the labels: a table of `LABEL_SCHEMA`, a row a fault.

    Raises:
        ValueError: there is no room for so many faults on these days.
    """
    world = ledger.world
    days = _days(world, first, last)
    if not days:
        raise ValueError(f"There is no business day from {first} to {last}.")
    rng = stream(seed, Entity.LABELLED_FAULT, 0)
    faults = []
    for at in range(count):
        kind = KINDS[at % len(KINDS)]
        fit = [day for month, day in days if is_possible(world, world.month(month), kind, day)]
        if not fit:
            raise ValueError(f"No day from {first} to {last} can have the fault {kind}.")
        day = fit[int(rng.integers(len(fit)))]
        faults.append(Planted(kind, day, int(rng.integers(_DRAWS))))
    spoiled = _with(ledger, faults)
    labels = labels_of(spoiled)
    if len(labels) < count:
        raise ValueError(f"{count} faults are too many for {first} to {last}.")
    return spoiled.lines(first, last), labels


def with_day_faults(ledger: Ledger, kinds: Mapping[dt.date, Sequence[str]], seed: int) -> Ledger:
    """The ledger with these faults on these days; other names than `KINDS` are ignored.

    Raises:
        UsageError: no entry of a day can have its fault.
    """
    faults = [
        Planted(kind, day.toordinal() - EPOCH, int(rng.integers(_DRAWS)))
        for day, names in sorted(kinds.items())
        for rng in [stream(seed, Entity.LABELLED_FAULT, day.toordinal())]
        for kind in names
        if kind in KINDS
    ]
    spoiled = _with(ledger, faults)
    found = _found(spoiled.world)
    for at, fault in enumerate(faults):
        if at not in found:
            day = dt.date.fromordinal(fault.day + EPOCH)
            raise UsageError(f"No entry of {day} can have the fault {fault.kind}.", "bad_fault")
    return spoiled


def labels_of(ledger: Ledger) -> pa.Table:
    """Where the faults of a ledger are, in their order; without those that found no entry."""
    found = _found(ledger.world)
    rows = [dict(zip(LABEL_SCHEMA.names, found[at], strict=True)) for at in sorted(found)]
    return pa.Table.from_pylist(rows, schema=LABEL_SCHEMA)


def _found(world: World) -> dict[int, tuple[str, str, dt.date]]:
    """Kind, entry and day of each fault, by its number."""
    found: dict[int, tuple[str, str, dt.date]] = {}
    for number in _months_with_faults(world):
        draft, ordinal = draft_of(world, number), world.month(number).ordinal
        for row in np.flatnonzero(draft.entries["fault"] >= 0).tolist():
            at = int(draft.entries["fault"][row])
            kind = world.faults[at].kind
            entry = int(draft.entries["number"][row]) - (kind == MISSING_NUMBER)
            day = dt.date.fromordinal(int(draft.entries["recorded"][row]) + EPOCH)
            found[at] = (kind, f"JE-{ordinal * ENTRIES_A_PERIOD + entry:08}", day)
    return found


def _with(ledger: Ledger, faults: Sequence[Planted]) -> Ledger:
    world = ledger.world
    return Ledger(world.seed, world.opened_on, world.scale, world.calendar, tuple(faults))


def _days(world: World, first: dt.date, last: dt.date) -> list[tuple[int, int]]:
    """The business days from first to last, each with the number of its month."""
    span = range(first.toordinal() - EPOCH, last.toordinal() - EPOCH + 1)
    return [
        (month.number, day)
        for month in world.months_between(first, last)
        for day in month.business.tolist()
        if day in span
    ]


def _months_with_faults(world: World) -> list[int]:
    """The months whose periods may have faults: an entry after close lies up to REACH back."""
    days = {dt.date.fromordinal(fault.day + EPOCH) for fault in world.faults}
    months = {month.number for day in days for month in world.months_between(day, day)}
    return sorted({number - back for number in months for back in range(REACH + 1)} - _BEFORE)
