"""Spine rows of stores that give them whole: what the books measure of them."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from clearhouse.books.digests import digests_of
from clearhouse.books.hop import Leg
from clearhouse.books.measure import filled, totals_of
from clearhouse.books.model import Side, Totals
from clearhouse.core.columnar import readable


@dataclass(slots=True)
class RowsSpine:
    """The rows of some days of a store, asked of it each time (`hop.Relation`).

    They have no columns of the contract beside those of the spine. Totals and the digests that are
    asked for next are of one reading: a measure is of one moment.

    Attributes:
        of_days: the rows of days, as `SPINE_SCHEMA`.
    """

    of_days: Callable[[Sequence[dt.date]], pa.Table] = field(repr=False)
    _read: tuple[frozenset[dt.date], pa.Table] | None = None

    def totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        """Totals of each of the days."""
        rows = self.of_days(days)
        self._read = frozenset(days), rows
        return filled(totals_of(rows), days)

    def digests(self, days: Sequence[dt.date], content: Sequence[str]) -> Mapping[dt.date, str]:
        """The digest of each day's rows."""
        del content
        read, self._read = self._read, None
        is_read = read is not None and read[0].issuperset(days)
        return digests_of(read[1] if read and is_read else self.of_days(days), days)

    def rows(self, days: Sequence[dt.date], content: Sequence[str] = ()) -> pa.Table:
        """The rows, as `SPINE_SCHEMA`."""
        del content
        return self.of_days(days)


SidesRead = Mapping[Side, pa.Table]
"""The rows of each side, as `SPINE_SCHEMA`."""


class SidesOfRows:
    """The rows of all sides of a hop, of stores that are read once for all of them.

    A measure asks every side for the same days. Each is given its rows of one reading; the side
    that asks a second time begins the next one.

    Args:
        read: the rows of every side, of some days.
    """

    def __init__(self, read: Callable[[Sequence[dt.date]], SidesRead]) -> None:
        self._read = read
        self._days: frozenset[dt.date] = frozenset()
        self._left: dict[Side, pa.Table] = {}

    def legs(self, sides: Iterable[Side]) -> tuple[Leg, ...]:
        """The legs of the hop."""
        return tuple(Leg(side, RowsSpine(partial(self._of, side))) for side in sides)

    def _of(self, side: Side, days: Sequence[dt.date]) -> pa.Table:
        if side not in self._left or self._days != frozenset(days):
            self._left = {}  # a reading that fails leaves nothing of the one before
            with readable("what this hop is measured from"):
                self._left = dict(self._read(days))
            self._days = frozenset(days)
        return self._left.pop(side)
