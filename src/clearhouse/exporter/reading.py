"""How the books and the quarantine stand, read again when something was recorded since."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from clearhouse.books.journal import Head, Journal
from clearhouse.core.errors import ClearhouseError, first_line
from clearhouse.exporter.figures import Figures, read_figures
from clearhouse.store.quarantine import Quarantine


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        figures: of the books.
        quarantined: number of rows by dataset and reason.
        seconds: that the reading took.
    """

    figures: Figures
    quarantined: Mapping[tuple[str, str], int]
    seconds: float


class Reader:
    """Reads one store; what it read is kept for as long as the journal has the same head.

    Args:
        engine: of `open_to_watch`: a reading must not keep a run from writing.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._journal = Journal(engine)
        self._quarantine = Quarantine(engine)
        self._kept: tuple[Head, Reading] | None = None
        self._reason = ""
        self._alone = threading.Lock()  # two scrapes at a time read once
        self._log = structlog.get_logger("exporter")

    def read(self) -> Reading | None:
        """How things stand; None where the store can't be read, which is logged with the reason."""
        with self._alone:
            try:
                head = self._journal.head()  # first: what is recorded meanwhile is read next time
                if self._kept is None or self._kept[0] != head:
                    self._kept = (head, self._read())
            except (ClearhouseError, sa.exc.DatabaseError) as error:
                self._kept = None
                self._complain(first_line(getattr(error, "orig", None) or error))
                return None
            self._reason = ""
            return self._kept[1]

    def _complain(self, reason: str) -> None:
        """Log why the books can't be read: once, and not at every scrape until they can."""
        if reason != self._reason:
            self._log.warning("books_unreadable", reason=reason)
        self._reason = reason

    def _read(self) -> Reading:
        begun = time.monotonic()
        with self._engine.connect() as connection:
            figures = read_figures(connection)
        quarantined = self._quarantine.counts_by_code()
        return Reading(figures, quarantined, time.monotonic() - begun)
