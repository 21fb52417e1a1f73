"""The journal: all that the books record, each row chained to the one before it by SHA-256.

The other tables of the books are projections of it. `recording` is the only way into them: it
writes their rows and the journal's own in one transaction. `Journal.check` recomputes them.
"""

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from clearhouse.books.in_store import InStore
from clearhouse.books.model import digest
from clearhouse.books.projections import Tables, differences, moment, rows_of, stored_tables
from clearhouse.books.schema import acting_user, journal_table
from clearhouse.core.errors import UsageError
from clearhouse.core.sql_tables import writing

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """How many rows a journal has, and the hash of the last: it stands for all of them."""

    length: int = 0
    hash: str = "0" * 64

    def __str__(self) -> str:
        return f"{self.length}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """A head as it is printed.

        Raises:
            UsageError: it is none.
        """
        head = cls.read(text)
        if head is None:
            raise UsageError(
                f"{text!r} is no head of a journal: write LENGTH:HASH as `clearhouse books` prints "
                "it, with all 64 digits of the hash.",
                "bad_head",
            )
        return head

    @classmethod
    def read(cls, text: str) -> "Head | None":
        """The same; None of another text."""
        found = re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", text.strip(), re.ASCII)
        return cls(int(found[1]), found[2]) if found else None


class Recording:
    """What one transaction records, of one run."""

    def __init__(self, connection: sa.Connection, run_id: str = "") -> None:
        self.connection = connection
        self._run_id = run_id
        self._written: dict[sa.Table, list[Row]] = {}

    def add(self, table: sa.Table, rows: Sequence[Row]) -> list[Row]:
        """Write rows into a table, signed; the rows, with their numbers where it numbers them."""
        if not rows:
            return []
        signature = self._signature(table)
        added = [{**row, **signature} for row in rows]
        statement = sa.insert(table)
        if table.autoincrement_column is not None and "seq" not in added[0]:
            numbered = statement.returning(table.c.seq, sort_by_parameter_order=True)
            numbers = self.connection.scalars(numbered, added)
            added = [{"seq": n, **row} for n, row in zip(numbers, added, strict=True)]
        else:
            self.connection.execute(statement, added)
        self._written.setdefault(table, []).extend(added)
        return added

    def _signature(self, table: sa.Table) -> Row:
        """Who writes now, in which run, in the columns that a table has for it."""
        parts = {"user": acting_user(), "run": self._run_id, "time": dt.datetime.now(dt.UTC)}
        return {c.name: parts[c.info["signed"]] for c in table.c if "signed" in c.info}

    def replace(self, table: sa.Table, rows: Sequence[Row]) -> None:
        """Write rows in place of those with the same primary key."""
        if rows:
            same = sa.and_(*(c == sa.bindparam(f"its_{c.name}") for c in table.primary_key))
            keys = [{f"its_{c.name}": row[c.name] for c in table.primary_key} for row in rows]
            self.connection.execute(sa.delete(table).where(same), keys)
            self.add(table, rows)

    def end(self, kind: str) -> None:
        """Append what was written to the journal."""
        if self._written:
            columns = {
                table.name: {c.name: [row[c.name] for row in rows] for c in table.c}
                for table, rows in self._written.items()
            }
            _append(self.connection, kind, columns)


@contextmanager
def recording(engine: sa.Engine, kind: str, run_id: str = "") -> Iterator[Recording]:
    """Record something, whole or not at all. What writes nothing leaves no row in the journal."""
    with writing(engine, journal_table) as connection:
        record = Recording(connection, run_id)
        yield record
        record.end(kind)


class Journal(InStore):
    """The journal of the books in one SQL store."""

    def head(self) -> Head:
        """What stands for all that is recorded until now."""
        with self.engine.connect() as connection:
            return _head(connection)

    def extends(self, head: Head) -> bool:
        """Whether the journal begins with the rows that this head stands for."""
        hash_then = sa.select(journal_table.c.hash).where(journal_table.c.seq == head.length)
        return head == Head() or self.values(hash_then) == [head.hash]

    def place_of(self, kind: str, text: str) -> dict[str, Any] | None:
        """The first row of a kind whose body holds a text, and the chain from there to the head.

        With `length` (of the journal up to the row), `prev`, `hash`, `kind` and `body`, and as
        `links` the kind and the body's digest of each row after it. None: there is no such row.
        """
        table = journal_table
        holds = (table.c.kind == kind) & table.c.body.contains(text, autoescape=True)
        first = self.rows(sa.select(table).where(holds).order_by(table.c.seq).limit(1))
        if not first:
            return None
        found = first[0]._asdict()
        length = found.pop("seq")
        later = sa.select(table.c.kind, table.c.body).where(table.c.seq > length)
        links = [
            {"kind": kind, "body_digest": digest(body)}
            for kind, body in self.rows(later.order_by(table.c.seq))
        ]
        return {"length": length, **found, "links": links}

    def check(self) -> list[str]:
        """Every row of the journal that breaks the chain, and every row of the tables that is not
        as the journal says, in a sentence each; empty where the books are as they were written.
        """
        table = journal_table
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(table).order_by(table.c.seq)).all()
            stored = stored_tables(connection)
        if not rows and any(stored.values()):
            return ["the journal is empty, and the books are not: its rows were deleted"]
        broken: list[str] = []
        recorded: Tables = {name: {} for name in stored}
        before = Head()
        for row in rows:
            name = f"journal row {row.seq} ({row.kind})"
            if (row.seq, row.prev) != (before.length + 1, before.hash):
                broken.append(f"{name} does not follow row {before.length}: the chain is broken")
            if row.hash != link(row.prev, row.kind, digest(row.body)):
                broken.append(f"{name} is not what was recorded: its hash is another")
            elif not rows_of(row.body, recorded):
                broken.append(f"{name} holds what the books can't record")
            before = Head(row.seq, row.hash)
        # What a damaged row recorded can't be distinguished from what nothing recorded.
        return broken + differences(recorded, stored, names_invented=not broken)


def link(prev: str, kind: str, body_digest: str) -> str:
    """The hash of a row; of its body only the digest, so that a chain can be shown without it."""
    return digest(prev, kind, body_digest)


def _head(connection: sa.Connection) -> Head:
    table = journal_table
    last = sa.select(table.c.seq, table.c.hash).order_by(table.c.seq.desc()).limit(1)
    found = connection.execute(last).first()
    return Head(found.seq, found.hash) if found else Head()


def _append(
    connection: sa.Connection, kind: str, columns: Mapping[str, Mapping[str, Sequence[Any]]]
) -> None:
    """Chain a row to the last one. `prev` is unique: a fork is refused by the database."""
    body = json.dumps(
        columns, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_as_text
    )
    last = _head(connection)
    connection.execute(
        sa.insert(journal_table).values(
            seq=last.length + 1,
            kind=kind,
            body=body,
            prev=last.hash,
            hash=link(last.hash, kind, digest(body)),
        )
    )


def _as_text(value: dt.date) -> str:
    return moment(value) if isinstance(value, dt.datetime) else value.isoformat()
