"""Spine rows of a store that gives them whole: what the books measure of them."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from clearhouse.books.measure import digests_of, filled, texts_of, totals_of
from clearhouse.books.model import Totals


@dataclass(frozen=True, slots=True)
class RowsSpine:
    """The rows of some days of a store, asked of it each time (`hop.Relation`).

    They have no columns of the contract beside those of the spine.

    Attributes:
        of_days: the rows of days, as `SPINE_SCHEMA`.
    """

    of_days: Callable[[Sequence[dt.date]], pa.Table]

    def totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        """Totals of each of the days."""
        return filled(totals_of(self.of_days(days)), days)

    def digests(self, days: Sequence[dt.date], content: Sequence[str]) -> Mapping[dt.date, str]:
        """The digest of each day's rows."""
        return digests_of(self.texts(days, content), days)

    def texts(self, days: Sequence[dt.date], content: Sequence[str]) -> pa.Table:
        """The rows' texts."""
        return texts_of(self.rows(days, content))

    def rows(self, days: Sequence[dt.date], content: Sequence[str] = ()) -> pa.Table:
        """The rows, as `SPINE_SCHEMA`."""
        del content
        return self.of_days(days)
