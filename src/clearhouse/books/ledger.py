"""The ledger: entries and what happened to them, append-only.

An entry's identity is written once. Each opening, measurement and failure of it is an event of its
own, with its totals; what was entered before stays. `books_current` says which event is in force
for a hop and day. Whether an entry is held follows from the verdicts and releases on it, and is
not written down a second time.
"""

import datetime as dt
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from clearhouse.books.decisions import held_among
from clearhouse.books.journal import recording
from clearhouse.books.model import Digests, Entry, EntryKey, Measured, Side, Status, Totals
from clearhouse.books.schema import (
    audit_table,
    cover_table,
    current_table,
    entry_table,
    event_table,
    finding_table,
    now,
    publication_table,
    release_table,
    total_table,
    verdict_table,
)

Found = tuple[str, dt.date | None, str]
"""What an audit found: hop, day (None: no day in particular), and what in words."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit looked at.

    Attributes:
        entries: number of entries that were measured again.
        records, amounts: what had landed on these days; amounts as JSON, by currency.
    """

    domain: str
    first_day: dt.date
    last_day: dt.date
    entries: int
    records: int
    amounts: str


@dataclass(frozen=True, slots=True)
class _Event:
    """What happened to an entry."""

    status: Status
    measured: Measured = field(default_factory=lambda: Measured({}))

    def row(self, key: EntryKey) -> dict[str, str]:
        """The event's own columns."""
        digests = self.measured.digests
        is_measured = self.status not in (Status.OPEN, Status.FAILED)
        return {
            "entry_id": key.entry_id,
            "status": self.status,
            "output_ref": self.measured.ref if is_measured else "",
            "digest_in": digests.entering,
            "digest_out": digests.leaving,
            "content": ",".join(digests.content),
        }

    def takes_over(self, entry_id: str, current: str | None) -> bool:
        """Whether it is in force for the hop and day from now on."""
        is_measured = self.status not in (Status.OPEN, Status.FAILED)
        is_first = self.status is Status.OPEN and current is None
        return is_measured or is_first or current == entry_id


class Books:
    """The books of all domains in one SQL store."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def open(self, keys: Iterable[EntryKey], run_id: str) -> None:
        """Record that work on these entries begins.

        An entry becomes the current one of its hop and day only where no other entry is: until its
        work is done, the books say that it is open.
        """
        self._enter({key: _Event(Status.OPEN) for key in keys}, run_id)

    def close(
        self,
        measured: Mapping[EntryKey, Measured],
        run_id: str,
        *,
        unsound: Container[dt.date] = (),
    ) -> dict[EntryKey, Status]:
        """Enter what was measured; each entry becomes the current one of its hop and day.

        An entry that does not balance is `unbalanced`, and so is one of an `unsound` day, whose
        rows differ in what no total shows; the others are `balanced`.
        """
        events = {
            key: _Event(
                Status.BALANCED
                if found.balances and key.book_date not in unsound
                else Status.UNBALANCED,
                found,
            )
            for key, found in measured.items()
        }
        self._enter(events, run_id)
        return {key: event.status for key, event in events.items()}

    def fail(self, keys: Iterable[EntryKey], run_id: str) -> None:
        """Record that the work on open entries went wrong."""
        self._enter({key: _Event(Status.FAILED) for key in keys}, run_id)

    def _enter(self, events: Mapping[EntryKey, "_Event"], run_id: str) -> None:
        if not events:
            return
        with recording(self.engine, "entries") as record:
            known, current = _known(record.connection, events)
            new = [key for key in events if key.entry_id not in known]
            record.add(
                entry_table, [{c.name: getattr(key, c.name) for c in entry_table.c} for key in new]
            )
            covers = [{"entry_id": k.entry_id, "covers": k.covers} for k in new if k.covers]
            record.add(cover_table, covers)
            at = {"run_id": run_id, "at": now()}
            rows = record.add(event_table, [{**e.row(k), **at} for k, e in events.items()])
            numbered = list(zip(events.items(), (row["seq"] for row in rows), strict=True))
            record.add(
                total_table,
                [
                    {"seq": seq, "side": side, "measure": measure, "value": value}
                    for (_, event), seq in numbered
                    for side, total in event.measured.totals.items()
                    for measure, value in total.measures.items()
                ],
            )
            record.replace(
                current_table,
                [
                    {**_place(key), "entry_id": key.entry_id, "seq": seq}
                    for (key, event), seq in numbered
                    if event.takes_over(key.entry_id, current.get(tuple(_place(key).values())))
                ],
            )

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

    def keys(self, domain: str) -> tuple[dict[str, EntryKey], set[str]]:
        """What all entries of a domain are, by id, and the ids of the current ones.

        Quicker than to load what they measured.
        """
        entries = sa.select(entry_table).where(entry_table.c.domain == domain)
        current = sa.select(current_table.c.entry_id).where(current_table.c.domain == domain)
        with self.engine.connect() as connection:
            known = {row.entry_id: _key(row) for row in connection.execute(entries)}
            return known, set(connection.scalars(current))

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

    def state(self) -> tuple[Any, ...]:
        """The last of everything that an entry's state follows from: changes when any is added."""
        tables = (event_table, verdict_table, release_table, publication_table)
        last = (sa.select(sa.func.max(table.c.seq)).scalar_subquery() for table in tables)
        with self.engine.connect() as connection:
            return tuple(connection.execute(sa.select(*last)).one())

    def domains(self) -> list[str]:
        """The domains that have entries."""
        statement = sa.select(current_table.c.domain).distinct().order_by(current_table.c.domain)
        with self.engine.connect() as connection:
            return list(connection.scalars(statement))

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

    def add_audit(self, audited: "Audited", findings: Sequence[Found], run_id: str) -> None:
        """Keep what an audit looked at, and what it found."""
        with recording(self.engine, "audit") as record:
            row = {**asdict(audited), "findings": len(findings), "run_id": run_id, "at": now()}
            record.add(audit_table, [row])
            record.add(finding_table, _findings(audited.domain, findings, run_id))

    def add_findings(self, domain: str, findings: Sequence[Found], run_id: str) -> None:
        """Keep what was found otherwise than by an audit of the books."""
        with recording(self.engine, "findings") as record:
            record.add(finding_table, _findings(domain, findings, run_id))

    def findings(self, domain: str) -> list[Found]:
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
            sa.select(event_table, entry_table, cover_table.c.covers)
            .select_from(
                joined.outerjoin(cover_table, cover_table.c.entry_id == event_table.c.entry_id)
            )
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


def _findings(domain: str, findings: Sequence[Found], run_id: str) -> list[dict[str, Any]]:
    # A key that is named may hold a NUL, which PostgreSQL has no place for in a text.
    common = {"domain": domain, "run_id": run_id, "found_at": now()}
    return [
        {**common, "hop": hop, "book_date": day, "finding": text.replace("\0", "␀")}
        for hop, day, text in findings
    ]


def _known(
    connection: sa.Connection, keys: Collection[EntryKey]
) -> tuple[set[str], dict[tuple[Any, ...], str]]:
    """Of the hops and days of some entries: all entries, and the current ones by hop and day."""

    def of_keys(table: sa.Table) -> sa.ColumnElement[bool]:
        days = [key.book_date for key in keys]
        return (
            table.c.domain.in_({key.domain for key in keys})
            & table.c.hop.in_({key.hop for key in keys})
            & table.c.book_date.between(min(days), max(days))
        )

    entries = sa.select(entry_table.c.entry_id).where(of_keys(entry_table))
    current = sa.select(current_table).where(of_keys(current_table))
    return set(connection.scalars(entries)), {
        (row.domain, row.hop, row.book_date): row.entry_id for row in connection.execute(current)
    }


def _place(key: EntryKey) -> dict[str, Any]:
    """What one entry at a time is current for."""
    return {"domain": key.domain, "hop": key.hop, "book_date": key.book_date}


def _key(row: Any) -> EntryKey:
    return EntryKey(row.domain, row.hop, row.book_date, row.input_hash, row.code_hash)


def _entry(row: Any, sides: Mapping[Side, Mapping[str, int]]) -> Entry:
    return Entry(
        key=replace(_key(row), covers=row.covers or ""),
        status=Status(row.status),
        totals={side: Totals(sides[side]) for side in Side if side in sides},
        output_ref=row.output_ref,
        run_id=row.run_id,
        entered_at=row.at,
        digests=Digests(row.digest_in, row.digest_out, tuple(filter(None, row.content.split(",")))),
    )
