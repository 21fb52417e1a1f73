"""Adding lines to the ledger: numbered, with the sums and counters, all in one transaction."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from clearhouse.gl.journal import LEDGER
from clearhouse.gl.periods import Period, Status, month_of
from clearhouse.gl.service import columns, tables
from clearhouse.gl.service.numbering import (
    Counter,
    Entries,
    Numbered,
    day_of,
    numbered,
    with_columns,
)

_TAKES_ENTRIES = (Status.OPEN, Status.SOFT_CLOSED)
_INSERT_LINES = (
    f"INSERT INTO gl_line ({', '.join(columns.NAMES)}) "
    f"VALUES ({', '.join('?' * len(columns.NAMES))})"
)
_ADD_TO_BALANCES = sa.text(
    "INSERT INTO gl_balance (ledger, fiscal_period, posting_date, account_code, debit_minor, "
    "credit_minor, lines) VALUES (:ledger, :fiscal_period, :posting_date, :account_code, "
    ":debit_minor, :credit_minor, :lines) "
    "ON CONFLICT (ledger, fiscal_period, posting_date, account_code) DO UPDATE SET "
    "debit_minor = gl_balance.debit_minor + excluded.debit_minor, "
    "credit_minor = gl_balance.credit_minor + excluded.credit_minor, "
    "lines = gl_balance.lines + excluded.lines"
).bindparams(sa.bindparam("posting_date", type_=sa.Date))
_BALANCE_KEYS = ["ledger", "fiscal_period", "posting_date", "account_code"]
_WELL = [column.name for column in tables.well.columns]
_ADD_WELLS = sa.text(
    f"INSERT INTO gl_well ({', '.join(_WELL)}) VALUES ({', '.join(f':{n}' for n in _WELL)}) "
    "ON CONFLICT (well_id) DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class State:
    """The ledger's row."""

    seed: int
    opened_on: dt.date
    scale: float
    fed_through: int
    fed_day: dt.date
    fed_at: dt.datetime | None
    tickets: int
    last_line: int
    lines: int


def state_of(connection: sa.Connection, *, for_update: bool = False) -> State | None:
    """The ledger's row, held until the commit if it is to be changed; None before it is opened."""
    statement = sa.select(tables.ledger).where(tables.ledger.c.ledger == LEDGER)
    row = connection.execute(statement.with_for_update() if for_update else statement).one_or_none()
    return None if row is None else State(*row[1:])


def change_state(connection: sa.Connection, **values: Any) -> None:
    """Change the ledger's row."""
    where = tables.ledger.c.ledger == LEDGER
    connection.execute(sa.update(tables.ledger).where(where).values(**values))


def periods_of(connection: sa.Connection) -> list[Period]:
    """All periods in their order."""
    p = tables.period.c
    statement = (
        sa.select(p.fiscal_period, p.ordinal, p.first_day, p.last_day, p.status)
        .where(p.ledger == LEDGER)
        .order_by(p.ordinal)
    )
    return [
        Period(row[0], row[1], row[2], row[3], Status(row[4]))
        for row in connection.execute(statement)
    ]


def add_periods(connection: sa.Connection, through: dt.date) -> None:
    """Add, as future ones, the months that are missing up to that of a day."""
    known = periods_of(connection)
    state = state_of(connection)
    assert state is not None  # noqa: S101
    day = known[-1].last_day + dt.timedelta(days=1) if known else state.opened_on
    rows: list[dict[str, Any]] = []
    while day <= through:
        name, first, last = month_of(day)
        rows.append(
            {
                "ledger": LEDGER, "fiscal_period": name, "ordinal": len(known) + len(rows) + 1,
                "first_day": first, "last_day": last, "status": Status.FUTURE, "last_number": 0,
            }
        )  # fmt: skip
        day = last + dt.timedelta(days=1)
    if rows:
        connection.execute(sa.insert(tables.period), rows)


def record(
    connection: sa.Connection,
    table: pa.Table,
    today: dt.date,
    *,
    from_generator: bool = False,
) -> Numbered | None:
    """Add whole entries to the ledger.

    Args:
        connection: in a transaction that writes.
        table: their lines (`LINE_SCHEMA`); numbers, ids and day of recording are given anew.
        today: the day of recording; later where that day is whole already.
        from_generator: their numbers are those of the generated ledger: `reverses` is translated,
            what the ledger has undone already is left out, and what comes late for a closed period
            goes to the one that is open.

    Returns:
        The lines under their numbers; None when nothing was left.

    Raises:
        StoreError: an entry does not balance.
    """
    state = state_of(connection, for_update=True)
    assert state is not None  # noqa: S101
    sources: Sequence[str | None] | None = None
    if from_generator:
        table = _without_undone(connection, table)
        table = _into_open_periods(connection, table, today)
    if not len(table):
        return None
    entries = Entries.of(table)
    if from_generator:
        sources = entries.first(table["journal_entry"]).to_pylist()
    counters = _counters(connection, set(pc.unique(table["fiscal_period"]).to_pylist()))
    # A day that is whole stays as it is, also when midnight passed while the ledger was waited for.
    # Late entries of a closed period may have moved to one that has only just begun.
    day = max(
        today,
        state.fed_day + dt.timedelta(days=1),
        day_of(state.last_line),
        pc.max(table["posting_date"]).as_py(),
    )
    result = numbered(table, entries, counters, state.last_line, day)
    if sources is not None:
        result = _with_translated_reversals(connection, result, sources)
    _insert(connection, result, sources, state.lines)
    return result


def _counters(connection: sa.Connection, names: Collection[str]) -> dict[str, Counter]:
    p = tables.period.c
    statement = (
        sa.select(p.fiscal_period, p.ordinal, p.last_number)
        .where((p.ledger == LEDGER) & p.fiscal_period.in_(sorted(names)))
        .order_by(p.ordinal)  # always in one order: two who lock can't wait for each other
        .with_for_update()
    )
    return {row[0]: Counter(row[1], row[2]) for row in connection.execute(statement)}


def _stored_names(connection: sa.Connection, sources: Collection[str]) -> dict[str, str]:
    """Journal entries by their numbers in the generated ledger."""
    e = tables.entry.c
    statement = sa.select(e.source_entry, e.journal_entry).where(e.source_entry.in_(sources))
    return {row[0]: row[1] for row in connection.execute(statement)}


def _without_undone(connection: sa.Connection, table: pa.Table) -> pa.Table:
    """Leave out reversals of entries that a user has reversed before."""
    targets = [each for each in pc.unique(table["reverses"]).to_pylist() if each is not None]
    if not targets:
        return table
    stored = _stored_names(connection, targets)
    e = tables.entry.c
    statement = sa.select(e.reverses).where(e.reverses.in_(list(stored.values())))
    undone: set[Any] = set(connection.scalars(statement))
    if not undone:
        return table
    left_out = pa.array([source for source, name in stored.items() if name in undone])
    return table.filter(pc.invert(pc.is_in(table["reverses"], left_out)))


def _into_open_periods(connection: sa.Connection, table: pa.Table, today: dt.date) -> pa.Table:
    """Post what comes late for a closed period on the first day of the oldest that is open."""
    periods = periods_of(connection)
    taking = {each.name for each in periods if each.status in _TAKES_ENTRIES}
    is_late = pc.invert(pc.is_in(table["fiscal_period"], pa.array(sorted(taking), pa.string())))
    if not taking or not pc.any(is_late).as_py():
        return table
    target = next(each for each in periods if each.name in taking)
    values = {
        "fiscal_period": target.name,
        "fiscal_year": target.first_day.year,
        "fiscal_month": target.first_day.month,
        "posting_date": min(max(target.first_day, today), target.last_day),
    }
    return with_columns(
        table,
        {
            name: pc.if_else(is_late, pa.scalar(value, table.schema.field(name).type), table[name])
            for name, value in values.items()
        },
    )


def _with_translated_reversals(
    connection: sa.Connection, result: Numbered, sources: Sequence[str | None]
) -> Numbered:
    column = result.table["reverses"]
    targets = [each for each in pc.unique(column).to_pylist() if each is not None]
    if not targets:
        return result
    names = _stored_names(connection, targets)
    names |= {s: n for s, n in zip(sources, result.journal_entries, strict=True) if s is not None}
    translated = pa.array(
        [names.get(each) if each else None for each in column.to_pylist()], pa.string()
    )
    table = with_columns(result.table, {"reverses": translated})
    return Numbered(
        table, result.entries, result.numbers, result.journal_entries, result.last_numbers
    )


def _insert(
    connection: sa.Connection,
    result: Numbered,
    sources: Sequence[str | None] | None,
    lines_before: int,
) -> None:
    _insert_lines(connection, columns.to_stored(result.table))
    connection.execute(sa.insert(tables.entry), _entry_rows(result, sources))
    connection.execute(_ADD_TO_BALANCES, _sums(result.table))
    if sources is not None and (wells := _wells(result.table)):
        connection.execute(_ADD_WELLS, wells)
    p = tables.period
    for name, last in result.last_numbers.items():
        where = (p.c.ledger == LEDGER) & (p.c.fiscal_period == name)
        connection.execute(sa.update(p).where(where).values(last_number=last))
    change_state(connection, last_line=result.last_line, lines=lines_before + len(result.table))


def _insert_lines(connection: sa.Connection, stored: pa.Table) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_INSERT_LINES, columns.for_sqlite(stored))
        return
    from clearhouse.engines.postgres.arrow import insert  # where there is a driver

    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        insert(cursor, "gl_line", [stored], columns.NAMES)


def _entry_rows(result: Numbered, sources: Sequence[str | None] | None) -> list[dict[str, Any]]:
    entries, table = result.entries, result.table
    of_entry = {
        "ledger": entries.first(table["ledger"]).to_pylist(),
        "fiscal_period": entries.first(table["fiscal_period"]).to_pylist(),
        "entry_number": result.numbers.tolist(),
        "journal_entry": result.journal_entries,
        "source_entry": sources or [None] * len(entries),
        "reverses": entries.first(table["reverses"]).to_pylist(),
        "entry_type": entries.first(table["entry_type"]).to_pylist(),
        "recorded_on": entries.first(table["recorded_on"]).to_pylist(),
        "lines": _lengths(entries, len(table)),
        "debit_minor": entries.sums(table["debit_minor"]).tolist(),
    }
    return [dict(zip(of_entry, row, strict=True)) for row in zip(*of_entry.values(), strict=True)]


def _lengths(entries: Entries, count: int) -> list[int]:
    ends = [*entries.starts[1:].tolist(), count]
    return [end - start for start, end in zip(entries.starts.tolist(), ends, strict=True)]


def _sums(table: pa.Table) -> list[Mapping[str, Any]]:
    grouped = table.group_by(_BALANCE_KEYS, use_threads=False).aggregate(
        [("debit_minor", "sum"), ("credit_minor", "sum"), ("line_number", "count")]
    )
    named = [*_BALANCE_KEYS, "debit_minor", "credit_minor", "lines"]
    rows: list[Mapping[str, Any]] = grouped.rename_columns(named).to_pylist()
    return rows


def _wells(table: pa.Table) -> list[dict[str, Any]]:
    found = table.select(_WELL).filter(pc.is_valid(table["well_id"]))
    first = found.group_by(_WELL[0], use_threads=False).aggregate(
        [(name, "first") for name in _WELL[1:]]
    )
    rows: list[dict[str, Any]] = first.rename_columns(_WELL).to_pylist()
    return rows
