"""The clerk keeps one hop's entries: what to skip, what to adopt after a crash, what to redo."""

import datetime as dt
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from clearhouse.books.hop import Hop
from clearhouse.books.ledger import Books
from clearhouse.books.model import EntryKey, Measured, Status

_SETTLED = (Status.BALANCED, Status.HELD)


@dataclass(frozen=True)
class Plan:
    """What is to be done for each day of a hop.

    Attributes:
        skip: a balanced entry with this id exists and the store still holds what it left.
        redo: everything else.
    """

    skip: tuple[dt.date, ...] = ()
    redo: tuple[dt.date, ...] = ()


@dataclass(frozen=True)
class Clerk:
    """Keeps the entries of one hop of one domain during one run."""

    books: Books
    hop: Hop
    run_id: str

    def plan(self, keys: Mapping[dt.date, EntryKey], marks: Mapping[dt.date, str]) -> Plan:
        """Decide for each day, by asking the store and not by trusting the books.

        Args:
            keys: the entry that each day should have.
            marks: the entry id that the store itself carries for a day, written in the same
                commit as the data. A day with this entry's mark and totals that balance needs no
                work: if its entry was never closed (a crash after the commit), it is closed now.
        """
        marked = [day for day, key in keys.items() if marks.get(day) == key.entry_id]
        domain = next(iter(keys.values())).domain if keys else ""
        entries = {
            e.key.book_date: e
            for e in self.books.current(domain, self.hop.name, marked)
            if e.status in _SETTLED and e.key == keys[e.key.book_date]
        }
        measured = self.hop.measure(marked, entries) if marked else {}
        skip: list[dt.date] = []
        adopt: dict[EntryKey, Measured] = {}
        for day in marked:
            found, entry = measured[day], entries.get(day)
            if not found.balances or (entry and entry.output_ref != found.ref):
                continue
            if entry is None:
                adopt[keys[day]] = found
            skip.append(day)
        if adopt:
            self._enter(adopt)
        skipped = set(skip)
        return Plan(tuple(skip), tuple(day for day in keys if day not in skipped))

    def open(self, keys: Iterable[EntryKey]) -> None:
        """Record that work on these entries begins."""
        self.books.open(keys, self.run_id)

    def close(
        self, keys: Iterable[EntryKey], unsound: Container[dt.date] = ()
    ) -> dict[dt.date, Status]:
        """Measure what the stores hold now, and close the entries with it (see `Books.close`)."""
        by_day = {key.book_date: key for key in keys}
        measured = self.hop.measure(list(by_day)) if by_day else {}
        return self._enter({key: measured[day] for day, key in by_day.items()}, unsound)

    def fail(self, keys: Iterable[EntryKey]) -> None:
        """Record that the work on entries went wrong."""
        self.books.fail(keys, self.run_id)

    def _enter(
        self, measured: Mapping[EntryKey, Measured], unsound: Container[dt.date] = ()
    ) -> dict[dt.date, Status]:
        statuses = self.books.close(measured, self.run_id, unsound=unsound)
        return {key.book_date: status for key, status in statuses.items()}
