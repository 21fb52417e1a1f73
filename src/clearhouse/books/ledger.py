"""The ledger: entries and what happened to them, append-only.

An entry's identity is written once. Each opening, measurement and failure of it is an event of its
own, with its totals; what was entered before stays. `books_current` says which event is in force
for a hop and day. Whether an entry is held follows from the verdicts and releases on it, and is
not written down a second time.
"""

import datetime as dt
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import sqlalchemy as sa

from clearhouse.books.decisions import held_among
from clearhouse.books.digests import FORM
from clearhouse.books.in_store import InStore
from clearhouse.books.journal import recording
from clearhouse.books.model import Digests, Entry, EntryKey, Measured, Side, Status, Totals
from clearhouse.books.schema import (
    audit_table,
    cover_table,
    current_table,
    entry_table,
    event_table,
    finding_table,
    publication_table,
    release_table,
    total_table,
    verdict_table,
)
from clearhouse.core.sql_tables import between, within

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


class Books(InStore):
    """The books of all domains in one SQL store."""

    def open(self, keys: Iterable[EntryKey], run_id: str) -> None:
        """Record that work on these entries begins.

        An entry becomes the current one of its hop and day only where no other entry is: until its
        work is done, the books say that it is open.
        """
        self._enter([Entry(key, Status.OPEN) for key in dict.fromkeys(keys)], run_id)

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
        entries = []
        for key, found in measured.items():
            is_balanced = found.balances and key.book_date not in unsound
            status = Status.BALANCED if is_balanced else Status.UNBALANCED
            entries.append(Entry(key, status, found.totals, found.ref, digests=found.digests))
        self._enter(entries, run_id)
        return {entry.key: entry.status for entry in entries}

    def fail(self, keys: Iterable[EntryKey], run_id: str) -> None:
        """Record that the work on open entries went wrong."""
        self._enter([Entry(key, Status.FAILED) for key in dict.fromkeys(keys)], run_id)

    def _enter(self, entries: Sequence[Entry], run_id: str) -> None:
        if not entries:
            return
        with recording(self.engine, "entries", run_id) as record:
            keys = [entry.key for entry in entries]
            known, current = _known(record.connection, keys)
            new = [key for key in keys if key.entry_id not in known]
            columns = entry_table.c.keys()
            record.add(entry_table, [{c: getattr(key, c) for c in columns} for key in new])
            covers = [{"entry_id": k.entry_id, "covers": k.covers} for k in new if k.covers]
            record.add(cover_table, covers)
            events = record.add(event_table, [_event(entry) for entry in entries])
            numbered = [(e, event["seq"]) for e, event in zip(entries, events, strict=True)]
            record.add(
                total_table,
                [
                    {"seq": seq, "side": side, "measure": measure, "value": value}
                    for entry, seq in numbered
                    for side, total in entry.totals.items()
                    for measure, value in total.measures.items()
                ],
            )
            record.replace(
                current_table,
                [
                    {**_place(entry.key), "entry_id": entry.entry_id, "seq": seq}
                    for entry, seq in numbered
                    if _takes_over(entry, current.get(tuple(_place(entry.key).values())))
                ],
            )

    def current(
        self, domain: str, hop: str | None = None, days: Sequence[dt.date] | None = None
    ) -> list[Entry]:
        """The current entry of each hop and day, in order of day and of writing."""
        table = current_table.c
        where = (table.domain == domain) & between(table.book_date, days)
        if hop is not None:
            where &= table.hop == hop
        in_force = _OF_ENTRIES.join(current_table, table.seq == event_table.c.seq)
        entries = self._load(in_force, where)
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
        return {row.entry_id: _key(row) for row in self.rows(entries)}, set(self.values(current))

    def find(self, entry_id: str) -> Entry | None:
        """An entry by its id, current or not, as its last event left it."""
        last = (
            sa.select(sa.func.max(event_table.c.seq))
            .where(event_table.c.entry_id == entry_id)
            .scalar_subquery()
        )
        found = self._load(_OF_ENTRIES, event_table.c.seq == last)
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
        return self._load(_OF_ENTRIES, where)

    def entered(
        self, domain: str, hop: str, since: dt.datetime | None, until: dt.datetime | None = None
    ) -> dict[str, dt.date]:
        """The days of the entries to which something happened after one moment, up to another."""
        statement = (
            sa.select(entry_table.c.entry_id, entry_table.c.book_date)
            .select_from(_OF_ENTRIES)
            .where(entry_table.c.domain == domain, entry_table.c.hop == hop)
            .where(within(event_table.c.at, since, until))
        )
        return dict(self.rows(statement))

    def state(self) -> tuple[Any, ...]:
        """The last of everything that an entry's state follows from: changes when any is added."""
        tables = (event_table, verdict_table, release_table, publication_table)
        last = (sa.select(sa.func.max(table.c.seq)).scalar_subquery() for table in tables)
        (found,) = self.rows(sa.select(*last))
        return tuple(found)

    def domains(self) -> list[str]:
        """The domains that have entries."""
        domain = current_table.c.domain
        return self.values(sa.select(domain).distinct().order_by(domain))

    def days(self, domain: str) -> list[dt.date]:
        """The days that a domain has entries of, in order."""
        day = current_table.c.book_date
        of_domain = sa.select(day).where(current_table.c.domain == domain)
        return self.values(of_domain.distinct().order_by(day))

    def add_audit(self, audited: "Audited", findings: Sequence[Found], run_id: str) -> None:
        """Keep what an audit looked at, and what it found."""
        with recording(self.engine, "audit", run_id) as record:
            record.add(audit_table, [{**asdict(audited), "findings": len(findings)}])
            record.add(finding_table, _findings(audited.domain, findings))

    def add_findings(self, domain: str, findings: Sequence[Found], run_id: str) -> None:
        """Keep what was found otherwise than by an audit of the books."""
        with recording(self.engine, "findings", run_id) as record:
            record.add(finding_table, _findings(domain, findings))

    def findings(self, domain: str) -> list[Found]:
        """Everything that audits have found, in the order found."""
        table = finding_table
        statement = (
            sa.select(table.c.hop, table.c.book_date, table.c.finding)
            .where(table.c.domain == domain)
            .order_by(table.c.seq)
        )
        return [(hop, day, finding) for hop, day, finding in self.rows(statement)]

    def _load(self, of: sa.Join, where: sa.ColumnElement[bool]) -> list[Entry]:
        """Entries at those of their events that meet a condition, with the totals measured there.

        Args:
            of: `_OF_ENTRIES`, and what else the condition is on.
            where: the condition.
        """
        events = (
            sa.select(event_table, entry_table, cover_table.c.covers)
            .select_from(of.outerjoin(cover_table))
            .where(where)
            .order_by(entry_table.c.book_date, event_table.c.seq)
        )
        measured = sa.select(total_table).select_from(of.join(total_table)).where(where)
        with self.engine.connect() as connection:
            rows = connection.execute(events).all()
            totals: dict[int, dict[Side, dict[str, int]]] = {}
            for t in connection.execute(measured):
                totals.setdefault(t.seq, {}).setdefault(Side(t.side), {})[t.measure] = t.value
            held = held_among(connection, [row.entry_id for row in rows])
        return [_entry(row, totals.get(row.seq, {}), row.entry_id in held) for row in rows]


_OF_ENTRIES = event_table.join(entry_table)
"""What happened to entries."""


def _event(entry: Entry) -> dict[str, str]:
    """What happens to an entry, as it is written down."""
    return {
        "entry_id": entry.entry_id,
        "status": entry.status,
        "output_ref": entry.output_ref,
        "digest_in": entry.digests.entering,
        "digest_out": entry.digests.leaving,
        "content": f"{FORM}:{','.join(entry.digests.content)}",
    }


def _takes_over(entry: Entry, current: str | None) -> bool:
    """Whether it is in force for its hop and day from now on, where another entry was until now."""
    is_first = entry.status is Status.OPEN and current is None
    return entry.status.is_measured or is_first or current == entry.entry_id


def _findings(domain: str, findings: Sequence[Found]) -> list[dict[str, Any]]:
    # A key that is named may hold a NUL, which PostgreSQL has no place for in a text.
    return [
        {"domain": domain, "hop": hop, "book_date": day, "finding": text.replace("\0", "␀")}
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


def _entry(row: Any, sides: Mapping[Side, Mapping[str, int]], is_held: bool) -> Entry:
    status = Status(row.status)
    return Entry(
        key=replace(_key(row), covers=row.covers or ""),
        status=Status.HELD if is_held and status is Status.BALANCED else status,
        totals={side: Totals(sides[side]) for side in Side if side in sides},
        output_ref=row.output_ref,
        run_id=row.run_id,
        entered_at=row.at,
        digests=_digests(row),
    )


def _digests(row: Any) -> Digests:
    """What was entered as digests; nothing where they are of another form."""
    form, _, content = row.content.partition(":")
    if form != FORM:
        return Digests()
    return Digests(row.digest_in, row.digest_out, tuple(filter(None, content.split(","))))
