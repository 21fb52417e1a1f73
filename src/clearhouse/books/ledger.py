"""The ledger: entries and what happened to them, append-only.

An entry's identity is written once. Each opening, measurement and failure of it is an event of its
own, with its totals; what was entered before stays. `books_current` says which event is in force
for a hop and day. Whether an entry is held follows from the verdicts and releases on it, and is
not written down a second time.
"""

import datetime as dt
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from clearhouse.books.decisions import held_among
from clearhouse.books.model import Entry, EntryKey, Side, Status, Totals
from clearhouse.books.model import difference as totals_difference
from clearhouse.books.schema import (
    current_table,
    entry_table,
    event_table,
    finding_table,
    metadata,
    now,
    total_table,
)


class Books:
    """The books of all domains in one SQL store."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        metadata.create_all(engine)

    def open(self, keys: Iterable[EntryKey], run_id: str) -> None:
        """Record that work on these entries begins.

        An entry becomes the current one of its hop and day only where no other entry is: until its
        work is done, the books say that it is open.
        """
        with self.engine.begin() as connection:
            for key in keys:
                _identify(connection, key)
                seq = _append(connection, key.entry_id, Status.OPEN, "", run_id)
                current = _current_entry(connection, key)
                if current in (None, key.entry_id):
                    _set_current(connection, key, seq)

    def close(
        self,
        measured: Mapping[EntryKey, Mapping[Side, Totals]],
        run_id: str,
        *,
        output_refs: Mapping[EntryKey, str] | None = None,
        unsound: Container[dt.date] = (),
    ) -> dict[EntryKey, Status]:
        """Enter what was measured; each entry becomes the current one of its hop and day.

        An entry that does not balance is `unbalanced`, and so is one of an `unsound` day, whose
        rows differ in what no total shows; the others are `balanced`.
        """
        statuses = {
            key: Status.UNBALANCED
            if totals_difference(totals) or key.book_date in unsound
            else Status.BALANCED
            for key, totals in measured.items()
        }
        with self.engine.begin() as connection:
            for key, status in statuses.items():
                _identify(connection, key)
                output_ref = (output_refs or {}).get(key, "")
                seq = _append(connection, key.entry_id, status, output_ref, run_id)
                _add_totals(connection, seq, measured[key])
                _set_current(connection, key, seq)
        return statuses

    def fail(self, keys: Iterable[EntryKey], run_id: str) -> None:
        """Record that the work on open entries went wrong."""
        with self.engine.begin() as connection:
            for key in keys:
                seq = _append(connection, key.entry_id, Status.FAILED, "", run_id)
                if _current_entry(connection, key) == key.entry_id:
                    _set_current(connection, key, seq)

    def current(
        self, domain: str, hop: str | None = None, days: Sequence[dt.date] | None = None
    ) -> list[Entry]:
        """The current entry of each hop and day, in order of day and of writing."""
        where = current_table.c.domain == domain
        if hop is not None:
            where &= current_table.c.hop == hop
        if days is not None:
            if not days:
                return []
            where &= current_table.c.book_date.between(min(days), max(days))
        entries = self._load(event_table.c.seq == current_table.c.seq, where)
        if days is None:
            return entries
        wanted = set(days)
        return [e for e in entries if e.key.book_date in wanted]

    def find(self, entry_id: str) -> Entry | None:
        """An entry by its id, current or not, as its last event left it."""
        last = (
            sa.select(sa.func.max(event_table.c.seq))
            .where(event_table.c.entry_id == entry_id)
            .scalar_subquery()
        )
        found = self._load(event_table.c.seq == last, None)
        return found[0] if found else None

    def lineage(self, entry_id: str) -> list[Entry]:
        """An entry, the entry that it was made from, and so on, back to what landed."""
        found: list[Entry] = []
        while (entry := self.find(entry_id)) is not None:
            found.append(entry)
            entry_id = entry.key.input_hash
        return found

    def history(self, domain: str, hop: str, day: dt.date) -> list[Entry]:
        """Every event of a hop and day, in the order written, as the entry was then."""
        where = (
            (entry_table.c.domain == domain)
            & (entry_table.c.hop == hop)
            & (entry_table.c.book_date == day)
        )
        return self._load(where, None)

    def days(self, domain: str) -> list[dt.date]:
        """The days that a domain has entries of, in order."""
        table = current_table
        statement = (
            sa.select(table.c.book_date)
            .where(table.c.domain == domain)
            .distinct()
            .order_by(table.c.book_date)
        )
        with self.engine.connect() as connection:
            return list(connection.scalars(statement))

    def add_findings(
        self, domain: str, findings: Sequence[tuple[str, dt.date | None, str]], run_id: str
    ) -> None:
        """Keep what an audit found: hop, day (None: no day in particular), and what in words."""
        if not findings:
            return
        rows = [
            {
                "domain": domain,
                "hop": hop,
                "book_date": day,
                "finding": text,
                "run_id": run_id,
                "found_at": now(),
            }
            for hop, day, text in findings
        ]
        with self.engine.begin() as connection:
            connection.execute(sa.insert(finding_table), rows)

    def findings(self, domain: str) -> list[tuple[str, dt.date | None, str]]:
        """Everything that audits have found, in the order found."""
        table = finding_table
        statement = (
            sa.select(table.c.hop, table.c.book_date, table.c.finding)
            .where(table.c.domain == domain)
            .order_by(table.c.seq)
        )
        with self.engine.connect() as connection:
            return [(r[0], r[1], r[2]) for r in connection.execute(statement)]

    def _load(
        self, condition: sa.ColumnElement[bool], where: sa.ColumnElement[bool] | None
    ) -> list[Entry]:
        """Entries at the events that meet a condition, with the totals measured there."""
        joined = event_table.join(entry_table, event_table.c.entry_id == entry_table.c.entry_id)
        if where is not None:
            joined = joined.join(current_table, condition)
            condition = where
        events = (
            sa.select(event_table, entry_table)
            .select_from(joined)
            .where(condition)
            .order_by(entry_table.c.book_date, event_table.c.seq)
        )
        totals_of = (
            sa.select(total_table)
            .select_from(joined.join(total_table, total_table.c.seq == event_table.c.seq))
            .where(condition)
        )
        with self.engine.connect() as connection:
            rows = connection.execute(events).all()
            totals: dict[int, dict[Side, dict[str, int]]] = {}
            for t in connection.execute(totals_of):
                totals.setdefault(t.seq, {}).setdefault(Side(t.side), {})[t.measure] = t.value
            held = held_among(connection, [row.entry_id for row in rows])
        entries = [_entry(row, totals.get(row.seq, {})) for row in rows]
        return [
            replace(e, status=Status.HELD)
            if e.entry_id in held and e.status is Status.BALANCED
            else e
            for e in entries
        ]


def _identify(connection: sa.Connection, key: EntryKey) -> None:
    known = sa.select(entry_table.c.entry_id).where(entry_table.c.entry_id == key.entry_id)
    if connection.execute(known).first() is None:
        connection.execute(
            sa.insert(entry_table).values(
                entry_id=key.entry_id,
                domain=key.domain,
                hop=key.hop,
                book_date=key.book_date,
                input_hash=key.input_hash,
                code_hash=key.code_hash,
            )
        )


def _append(
    connection: sa.Connection, entry_id: str, status: Status, output_ref: str, run_id: str
) -> int:
    """Write an event; its number."""
    inserted = connection.execute(
        sa.insert(event_table).values(
            entry_id=entry_id, status=status, output_ref=output_ref, run_id=run_id, at=now()
        )
    )
    (seq,) = inserted.inserted_primary_key or (0,)
    return int(seq)


def _add_totals(connection: sa.Connection, seq: int, totals: Mapping[Side, Totals]) -> None:
    rows = [
        {"seq": seq, "side": side, "measure": measure, "value": value}
        for side, total in totals.items()
        for measure, value in total.measures.items()
    ]
    if rows:
        connection.execute(sa.insert(total_table), rows)


def _of_day(key: EntryKey) -> sa.ColumnElement[bool]:
    table = current_table
    return (
        (table.c.domain == key.domain)
        & (table.c.hop == key.hop)
        & (table.c.book_date == key.book_date)
    )


def _current_entry(connection: sa.Connection, key: EntryKey) -> str | None:
    found = connection.execute(sa.select(current_table.c.entry_id).where(_of_day(key))).first()
    return found.entry_id if found else None


def _set_current(connection: sa.Connection, key: EntryKey, seq: int) -> None:
    values = {"entry_id": key.entry_id, "seq": seq}
    changed = connection.execute(sa.update(current_table).where(_of_day(key)).values(**values))
    if not changed.rowcount:
        connection.execute(
            sa.insert(current_table).values(
                domain=key.domain, hop=key.hop, book_date=key.book_date, **values
            )
        )


def _entry(row: Any, sides: Mapping[Side, Mapping[str, int]]) -> Entry:
    return Entry(
        key=EntryKey(row.domain, row.hop, row.book_date, row.input_hash, row.code_hash),
        status=Status(row.status),
        totals={side: Totals(sides[side]) for side in Side if side in sides},
        output_ref=row.output_ref,
        run_id=row.run_id,
        entered_at=row.at,
    )
