"""What comes into the ledger by itself: the generated history, and then new entries.

Grain: whole entries. Idempotency: a transaction stores entries together with how far the generated
ledger was read, and an entry of it is stored once. So a feed that is killed goes on where it was,
and several processes may feed one store.
"""

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
import structlog

from clearhouse.gl.journal import LEDGER
from clearhouse.gl.service import tables
from clearhouse.gl.service.closing import advance
from clearhouse.gl.service.database import Database
from clearhouse.gl.service.recorder import State, add_periods, change_state, record, state_of

_A_DAY = dt.timedelta(days=1)
_DAYS_AT_ONCE = 31  # of generated lines in memory
_log = structlog.get_logger()

Clock = Callable[[], dt.datetime]
"""The time, in UTC and without a zone."""


class Generator(Protocol):
    """A ledger that is made by numbers alone (`clearhouse.sandbox.gl.ledger.Ledger`)."""

    def lines(self, first: dt.date, last: dt.date) -> pa.Table:
        """Lines recorded between two days, both included, in order of `gl_entry_id`."""

    def ticket(self, number: int, moment: dt.datetime) -> pa.Table:
        """One small entry."""


MakeGenerator = Callable[[int, dt.date, float], Generator]
"""By seed, day of opening, and scale."""


def sandbox_ledger(seed: int, opened_on: dt.date, scale: float) -> Generator:
    """The generated ledger of an operator."""
    from clearhouse.sandbox.gl.ledger import Ledger

    return Ledger(seed, opened_on, scale)


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """What is fed.

    Attributes:
        days: of history before the first start.
        interval_seconds: between new entries.
        seed, scale: of the generated ledger; a store that has one keeps to its own.
    """

    days: int = 365
    interval_seconds: float = 30.0
    seed: int = 42
    scale: float = 1.0


class Feed:
    """Stores what is due.

    Args:
        database: the store.
        options: what is fed.
        clock: the time.
        make_generator: a ledger by seed, day of opening and scale.
    """

    def __init__(
        self,
        database: Database,
        options: FeedOptions,
        clock: Clock,
        make_generator: MakeGenerator = sandbox_ledger,
    ) -> None:
        self._database = database
        self._options = options
        self._clock = clock
        self._make_generator = make_generator
        self._generator: Generator | None = None
        self._ahead: tuple[tuple[dt.date, dt.date], pa.Table] | None = None

    def open_ledger(self) -> State:
        """Make the ledger's row where there is none; the history begins on the first of a month."""
        with self._database.writing() as connection:
            first = self._clock().date() - dt.timedelta(days=self._options.days)
            _add_ledger(connection, self._options, first.replace(day=1))
            state = state_of(connection, for_update=True)
            assert state is not None  # noqa: S101
            add_periods(connection, state.opened_on)
        if (state.seed, state.scale) != (self._options.seed, self._options.scale):
            _log.warning("ledger_keeps_its_seed_and_scale", seed=state.seed, scale=state.scale)
        self._generator = self._make_generator(state.seed, state.opened_on, state.scale)
        return state

    def catch_up(
        self, stop: threading.Event | None = None, on_day: Callable[[dt.date], None] | None = None
    ) -> None:
        """Store the whole days before today, each in a transaction, and what is due of today.

        Args:
            stop: ends it between two days when it is set.
            on_day: called with each day that is stored.
        """
        state = self.open_ledger()
        if not state.lines:
            self._change_indexes(sa.Index.drop)
        yesterday = self._clock().date() - _A_DAY
        while state.fed_day < yesterday:
            first = state.fed_day + _A_DAY
            last = min(first + dt.timedelta(days=_DAYS_AT_ONCE - 1), yesterday)
            table = self._lines(first, last)
            for day in _days(first, last):
                if stop is not None and stop.is_set():
                    return
                self._store_day(day, table)
                if on_day is not None:
                    on_day(day)
            state = self._state()
        self._change_indexes(sa.Index.create)
        self._store_due()

    def tick(self) -> int:
        """Store what is due by now, or one ticket when nothing is; the number of lines.

        Another process that has just done so makes this one do nothing.
        """
        if self._state().fed_day < self._clock().date() - _A_DAY:  # midnight has passed
            self.catch_up()
        return self._store_due(or_ticket=True)

    @property
    def _made(self) -> Generator:
        assert self._generator is not None, "the ledger is not open"  # noqa: S101
        return self._generator

    def _lines(self, first: dt.date, last: dt.date) -> pa.Table:
        """Generated lines; those of the last call are kept, as the day's are asked for again."""
        if self._ahead is None or self._ahead[0] != (first, last):
            self._ahead = ((first, last), self._made.lines(first, last))
        return self._ahead[1]

    def _store_day(self, day: dt.date, table: pa.Table) -> None:
        midnight = dt.datetime.combine(day, dt.time())
        # What the machine loses when it fails is made again: how far the feed is, is lost with it.
        with self._database.writing(may_be_lost=True) as connection:
            state = self._locked(connection)
            if state.fed_day >= day:  # another process was faster
                return
            lines = table.filter(pc.equal(table["recorded_on"], pa.scalar(day)))
            lines = lines.filter(pc.greater(lines["gl_entry_id"], state.fed_through))
            advance(connection, day, midnight)
            through = state.fed_through
            if len(lines):
                through = lines["gl_entry_id"][-1].as_py()
                record(connection, lines, day, from_generator=True)
            change_state(connection, fed_through=through, fed_day=day)

    def _store_due(self, *, or_ticket: bool = False) -> int:
        now = self._clock()
        ahead = self._lines(self._state().fed_day + _A_DAY, now.date())
        with self._database.writing() as connection:
            state = self._locked(connection)
            if or_ticket and self._is_just_fed(state, now):
                return 0
            advance(connection, now.date(), now)
            result = None
            due = _due(ahead, state.fed_through, now)
            if len(due):
                result = record(connection, due, now.date(), from_generator=True)
                change_state(connection, fed_through=due["gl_entry_id"][-1].as_py())
            elif or_ticket:
                number = state.tickets + 1
                result = record(connection, self._made.ticket(number, now), now.date())
                change_state(connection, tickets=number)
            change_state(connection, fed_at=now)
        return 0 if result is None else len(result.table)

    def _change_indexes(self, change: Callable[..., None]) -> None:
        """Drop the indexes before a history comes, and make them when it is whole: far faster."""
        with self._database.writing(takes_long=True) as connection:
            state_of(connection, for_update=True)
            for index in tables.line.indexes:
                change(index, connection, checkfirst=True)

    def _state(self) -> State:
        with self._database.reading() as connection:
            state = state_of(connection)
        assert state is not None  # noqa: S101
        return state

    def _locked(self, connection: sa.Connection) -> State:
        state = state_of(connection, for_update=True)
        assert state is not None  # noqa: S101
        return state

    def _is_just_fed(self, state: State, now: dt.datetime) -> bool:
        if state.fed_at is None:
            return False
        return (now - state.fed_at).total_seconds() < 0.5 * self._options.interval_seconds


def _add_ledger(connection: sa.Connection, options: FeedOptions, opened_on: dt.date) -> None:
    """Make the ledger's row, unless it is there; another process may be doing so."""
    row = {
        "ledger": LEDGER, "seed": options.seed, "opened_on": opened_on, "scale": options.scale,
        "fed_through": 0, "fed_day": opened_on - _A_DAY, "tickets": 0, "last_line": 0, "lines": 0,
    }  # fmt: skip
    types = {name: tables.ledger.c[name].type for name in row}
    statement = sa.text(
        f"INSERT INTO gl_ledger ({', '.join(row)}) VALUES ({', '.join(f':{n}' for n in row)}) "
        "ON CONFLICT (ledger) DO NOTHING"
    ).bindparams(*(sa.bindparam(name, type_=kind) for name, kind in types.items()))
    connection.execute(statement, row)


def _due(ahead: pa.Table, fed_through: int, now: dt.datetime) -> pa.Table:
    """The entries that follow those stored, up to the first that is made later than now."""
    rest = ahead.filter(pc.greater(ahead["gl_entry_id"], fed_through))
    if not len(rest):
        return rest
    moments = rest["created_timestamp"].cast(pa.int64()).to_numpy()
    until = np.datetime64(now, "us").astype(np.int64)
    later = np.flatnonzero(np.maximum.accumulate(moments) > until)
    if not len(later):
        return rest
    entries = rest["journal_entry"].combine_chunks().dictionary_encode().indices.to_numpy()
    whole = int(np.searchsorted(entries, entries[later[0]]))  # the entry's first line
    return rest.slice(0, whole)


def _days(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
