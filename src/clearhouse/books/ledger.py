"""The books on a SQL store: entries, totals, the gates' verdicts, releases and certificates.

One SQLAlchemy schema for every store. Totals are kept as decimal text in SQLite, whose integers
end at 64 bits, and as NUMERIC(38, 0) elsewhere.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from clearhouse.books.model import Entry, EntryKey, Side, Status, Totals
from clearhouse.books.model import difference as totals_difference


class BigInteger38(sa.types.TypeDecorator[int]):
    """An integer of up to 38 digits."""

    impl = sa.Numeric(38, 0)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        """Text in SQLite, NUMERIC(38, 0) elsewhere."""
        kind = sa.String(40) if dialect.name == "sqlite" else sa.Numeric(38, 0)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: int | None, dialect: sa.Dialect) -> Any:
        """Python to SQL."""
        return str(value) if dialect.name == "sqlite" and value is not None else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> int | None:
        """SQL to Python."""
        del dialect
        return None if value is None else int(value)


metadata = sa.MetaData()

entry_table = sa.Table(
    "books_entry",
    metadata,
    sa.Column("entry_id", sa.String(64), primary_key=True),
    sa.Column("domain", sa.String(40), nullable=False),
    sa.Column("hop", sa.String(80), nullable=False),
    sa.Column("book_date", sa.Date, nullable=False),
    sa.Column("input_hash", sa.String(64), nullable=False),
    sa.Column("code_hash", sa.String(64), nullable=False),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("is_current", sa.Boolean, nullable=False),
    sa.Column("output_ref", sa.Text, nullable=False),
    sa.Column("run_id", sa.String(40), nullable=False),
    sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("closed_at", sa.DateTime(timezone=True)),
    sa.Index("books_entry_by_day", "domain", "hop", "book_date"),
)
total_table = sa.Table(
    "books_total",
    metadata,
    sa.Column("entry_id", sa.ForeignKey("books_entry.entry_id"), primary_key=True),
    sa.Column("side", sa.String(12), primary_key=True),
    sa.Column("measure", sa.String(20), primary_key=True),
    sa.Column("value", BigInteger38, nullable=False),
)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Books:
    """The books of all domains in one SQL store."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        metadata.create_all(engine)

    def open(self, keys: Iterable[EntryKey], run_id: str) -> None:
        """Write down that work on these entries begins. An entry opened before is opened again.

        It is the current one of its hop and day where no other entry is: until its work is done,
        the books say that it is open, or that it failed.
        """
        keys = list(keys)
        taken = self._current_of_others(keys)
        rows = [
            {
                **_key_columns(key),
                "status": Status.OPEN,
                "is_current": (key.hop, key.book_date) not in taken,
                "output_ref": "",
                "run_id": run_id,
                "opened_at": _now(),
                "closed_at": None,
            }
            for key in keys
        ]
        if not rows:
            return
        with self.engine.begin() as connection:
            ids = [row["entry_id"] for row in rows]
            _delete_in(connection, total_table, ids)
            _delete_in(connection, entry_table, ids)
            connection.execute(sa.insert(entry_table), rows)

    def close(
        self,
        measured: Mapping[EntryKey, Mapping[Side, Totals]],
        run_id: str,
        *,
        held: Iterable[dt.date] = (),
        output_refs: Mapping[EntryKey, str] | None = None,
    ) -> dict[EntryKey, Status]:
        """Enter what was measured; each entry becomes the current one of its hop and day.

        An entry that does not balance is `unbalanced`; one that does is `balanced`, or `held`
        where its day is among `held`.
        """
        held_days = set(held)
        statuses: dict[EntryKey, Status] = {}
        for key, totals in measured.items():
            if totals_difference(totals):
                statuses[key] = Status.UNBALANCED
            else:
                is_held = key.book_date in held_days
                statuses[key] = Status.HELD if is_held else Status.BALANCED
        with self.engine.begin() as connection:
            for key, status in statuses.items():
                values = {
                    "status": status,
                    "is_current": True,
                    "output_ref": (output_refs or {}).get(key, ""),
                    "closed_at": _now(),
                }
                _close_entry(connection, key, values, run_id)
                _replace_totals(connection, key.entry_id, measured[key])
        return statuses

    def set_status(self, entry_ids: Iterable[str], status: Status) -> None:
        """Change the status of entries: a gate's hold, a release, a failure."""
        with self.engine.begin() as connection:
            for entry_id in entry_ids:
                connection.execute(
                    sa.update(entry_table)
                    .where(entry_table.c.entry_id == entry_id)
                    .values(status=status)
                )

    def current(
        self, domain: str, hop: str | None = None, days: Sequence[dt.date] | None = None
    ) -> list[Entry]:
        """The current entry of each hop and day, in order of day."""
        where = (entry_table.c.domain == domain) & entry_table.c.is_current
        if hop is not None:
            where &= entry_table.c.hop == hop
        if days is not None:
            if not days:
                return []
            where &= entry_table.c.book_date.between(min(days), max(days))
        entries = self._load(where)
        if days is None:
            return entries
        wanted = set(days)
        return [e for e in entries if e.key.book_date in wanted]

    def find(self, entry_id: str) -> Entry | None:
        """The entry with an id, current or not."""
        found = self._load(entry_table.c.entry_id == entry_id)
        return found[0] if found else None

    def open_entries(self, domain: str, hop: str) -> list[Entry]:
        """Entries whose work began and was not seen to end: a crash, or a run under way."""
        return self._load(
            (entry_table.c.domain == domain)
            & (entry_table.c.hop == hop)
            & (entry_table.c.status == Status.OPEN)
        )

    def domains(self) -> list[str]:
        """Domains that have entries."""
        with self.engine.connect() as connection:
            return list(
                connection.scalars(
                    sa.select(entry_table.c.domain).distinct().order_by(entry_table.c.domain)
                )
            )

    def _current_of_others(self, keys: Sequence[EntryKey]) -> set[tuple[str, dt.date]]:
        """Hops and days of keys that have another current entry than the key's."""
        ids = {key.entry_id for key in keys}
        return {
            (entry.key.hop, entry.key.book_date)
            for domain, hop in {(key.domain, key.hop) for key in keys}
            for entry in self.current(domain, hop, [key.book_date for key in keys])
            if entry.entry_id not in ids
        }

    def _load(self, where: sa.ColumnElement[bool]) -> list[Entry]:
        with self.engine.connect() as connection:
            rows = connection.execute(
                sa.select(entry_table)
                .where(where)
                .order_by(entry_table.c.book_date, entry_table.c.opened_at)
            ).all()
            totals: dict[str, dict[Side, dict[str, int]]] = {}
            joined = sa.select(total_table).join(entry_table).where(where)
            for t in connection.execute(joined):
                totals.setdefault(t.entry_id, {}).setdefault(Side(t.side), {})[t.measure] = t.value
        return [_entry(row, totals.get(row.entry_id, {})) for row in rows]


def _close_entry(
    connection: sa.Connection, key: EntryKey, values: Mapping[str, Any], run_id: str
) -> None:
    """Make an entry the current one of its hop and day."""
    table = entry_table
    same_day = (
        (table.c.domain == key.domain)
        & (table.c.hop == key.hop)
        & (table.c.book_date == key.book_date)
    )
    connection.execute(sa.update(table).where(same_day).values(is_current=False))
    of_key = table.c.entry_id == key.entry_id
    if not connection.execute(sa.update(table).where(of_key).values(**values)).rowcount:
        row = {**_key_columns(key), **values, "run_id": run_id, "opened_at": _now()}
        connection.execute(sa.insert(table).values(row))


def _replace_totals(
    connection: sa.Connection, entry_id: str, totals: Mapping[Side, Totals]
) -> None:
    connection.execute(sa.delete(total_table).where(total_table.c.entry_id == entry_id))
    rows = [
        {"entry_id": entry_id, "side": side, "measure": measure, "value": value}
        for side, total in totals.items()
        for measure, value in total.measures.items()
    ]
    if rows:
        connection.execute(sa.insert(total_table), rows)


def _key_columns(key: EntryKey) -> dict[str, Any]:
    return {
        "entry_id": key.entry_id,
        "domain": key.domain,
        "hop": key.hop,
        "book_date": key.book_date,
        "input_hash": key.input_hash,
        "code_hash": key.code_hash,
    }


def _delete_in(connection: sa.Connection, table: sa.Table, entry_ids: Sequence[str]) -> None:
    statement = sa.delete(table).where(table.c.entry_id == sa.bindparam("wanted"))
    connection.execute(statement, [{"wanted": entry_id} for entry_id in entry_ids])


def _entry(row: Any, sides: Mapping[Side, Mapping[str, int]]) -> Entry:
    return Entry(
        key=EntryKey(row.domain, row.hop, row.book_date, row.input_hash, row.code_hash),
        status=Status(row.status),
        totals={side: Totals(sides[side]) for side in Side if side in sides},
        output_ref=row.output_ref,
        run_id=row.run_id,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )
