"""A log in one SQLite file: a table a topic, written at its end and read by position.

It survives the end of any process at any moment, and the failure of the machine: what was appended
is on the disk. It does not survive the loss of the disk.
"""

import datetime as dt
import sqlite3
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clearhouse.log.group_commit import GroupCommit
from clearhouse.log.kept_subscription import KeptSubscription
from clearhouse.log.log import (
    LogError,
    Message,
    Progress,
    Record,
    StaleProgress,
    check_sizes,
)
from clearhouse.log.places import DEFAULT_MAX_BYTES
from clearhouse.log.sqlite_file import LogFile

_MOST_BYTES_READ = 32 << 20
"""At which a read ends though more was asked for: it bounds the memory of who reads."""
_ROWS_OF_STATEMENTS = (64, 16, 4, 1)
"""Rows inserted at once. Between two statements the interpreter may be taken by other threads, and
be had again only after they have had their time: one statement a row is slow in a busy process."""
_MOST_DELETED = 2_000
"""In one transaction, so that who appends waits for some ms only."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(slots=True)
class _Appending:
    """What is being appended to one topic."""

    number: int
    first: int
    at: int
    last_day: dt.date
    rows: list[tuple[int, str, int, bytes]] = field(default_factory=list)

    def take(self, message: Message) -> int:
        position = self.first + len(self.rows)
        self.rows.append((position, message.key, self.at, message.value))
        return position


class SqliteLog:
    """A log in a file. Threads share one object; a consumer's progress is moved by one of them.

    Args:
        path: of the file; made if it is missing.
        topics: every topic that can be named.
        max_bytes: what the file may grow to.
        clock: the time in UTC.

    Raises:
        LogError: the file can't be used.
    """

    def __init__(
        self,
        path: Path,
        topics: Iterable[str],
        max_bytes: int = DEFAULT_MAX_BYTES,
        clock: Callable[[], dt.datetime] = _now,
    ) -> None:
        self._file = LogFile(path, max_bytes)
        self._clock = clock
        self._one_writer = threading.Lock()
        self._asked: dict[tuple[str, str], int] = {}
        """Progress of consumers as this process knows it: what another has changed is stale."""
        self._numbers = self._declare(sorted(topics))

    @property
    def identity(self) -> str:
        """See `Log.identity`."""
        with self._file.errors(), self._file.reading() as connection:
            return str(connection.execute("SELECT identity FROM log").fetchone()[0])

    def append(
        self, messages: Sequence[Message], progress: Progress | None = None
    ) -> Sequence[int]:
        """See `Log.append`."""
        check_sizes(messages)
        if not messages and progress is None:
            return ()
        with self._one_writer, self._file.errors():
            with self._file.writing() as connection:
                positions = self._append(connection, messages)
                if progress is not None:
                    self._advance(connection, progress)
            if progress is not None:
                self._asked[progress.consumer, progress.topic] = progress.position
        return positions

    def appender(self) -> GroupCommit:
        """See `Log.appender`."""
        return GroupCommit(self)

    def subscribe(self, consumer: str, topic: str) -> KeptSubscription:
        """See `Log.subscribe`."""
        return KeptSubscription(self, consumer, topic)

    def partitions(self, topic: str) -> int:
        """See `Log.partitions`. A topic is one table."""
        self._number(topic)
        return 1

    def read(self, topic: str, position: int, limit: int = 500) -> Sequence[Record]:
        """See `Log.read`. It gives fewer than there are where they are large, and at least one."""
        number = self._number(topic)
        with self._file.errors(), self._file.reading() as connection:
            records = _records(connection, topic, number, position, limit)
            if not records or records[0].position != position:
                self._check_position(connection, topic, position)
        return records

    def progress(self, consumer: str, topic: str, partition: int = 0) -> int:
        """See `Log.progress`."""
        del partition
        with self._file.errors(), self._file.reading() as connection:
            found = _progress(connection, consumer, topic)
        self._asked[consumer, topic] = found
        return found

    def first(self, topic: str, partition: int = 0) -> int:
        """See `Log.first`."""
        return self._bounds(topic, partition)[0]

    def end(self, topic: str, partition: int = 0) -> int:
        """See `Log.end`."""
        return self._bounds(topic, partition)[1]

    def waiting(self, topic: str, position: int) -> int:
        """See `Log.waiting`. Positions have no gaps: it is exact."""
        return max(0, self.end(topic) - position)

    def settle(self, topics: Iterable[str]) -> None:
        """See `Log.settle`: what was appended can be read."""

    def positions_of(self, topic: str, day: dt.date, partition: int = 0) -> tuple[int, int]:
        """See `Log.positions_of`. Days whose records are aged out are known still."""
        del partition
        with self._file.errors(), self._file.reading() as connection:
            found = connection.execute(
                "SELECT topic.next_position, day.day, day.first_position FROM topic "
                "LEFT JOIN day ON day.topic = topic.number AND day.day >= ? "
                "WHERE topic.number = ? ORDER BY day.day LIMIT 2",
                (day.isoformat(), self._number(topic)),
            ).fetchall()
        end = found[0][0]
        firsts = [end if first is None else first for _, _, first in found]
        if found[0][1] != day.isoformat():
            return firsts[0], firsts[0]
        return firsts[0], firsts[1] if len(firsts) > 1 else end

    def position_at(self, topic: str, moment: dt.datetime, partition: int = 0) -> int:
        """See `Log.position_at`: by bisection, as neither positions nor times go back."""
        del partition
        number = self._number(topic)
        with self._file.errors(), self._file.reading() as connection:
            places = range(*_bounds(connection, number))
            found = bisect_left(
                places,
                (moment - _EPOCH) // _MICROSECOND,
                key=lambda position: _appended_at(connection, number, position),
            )
            return places.start + found

    def forgotten_through(self, topic: str, partition: int = 0) -> dt.date | None:
        """See `Log.forgotten_through`. It is exact."""
        del partition
        with self._file.errors(), self._file.reading() as connection:
            (day,) = connection.execute(
                "SELECT max(day.day) FROM topic JOIN day ON day.topic = topic.number "
                "WHERE topic.number = ? AND day.first_position < topic.first_position",
                (self._number(topic),),
            ).fetchone()
        return None if day is None else dt.date.fromisoformat(day)

    def age_out(self, limits: Mapping[str, Iterable[int]]) -> int:
        """See `Log.age_out`. Their room is used again; the file does not shrink."""
        return sum(
            self._forget(self._number(topic), limit)
            for topic, positions in limits.items()
            for limit in positions
        )

    def close(self) -> None:
        """See `Log.close`."""
        with self._one_writer:
            self._file.close()

    def _declare(self, topics: Sequence[str]) -> dict[str, int]:
        with self._file.errors():
            numbers = self._known_topics()
            if not set(topics) <= set(numbers):
                with self._one_writer, self._file.writing() as connection:
                    for topic in topics:
                        _make_topic(connection, topic)
                numbers = self._known_topics()
        return {topic: numbers[topic] for topic in topics}

    def _known_topics(self) -> dict[str, int]:
        with self._file.reading() as connection:
            return dict(connection.execute("SELECT name, number FROM topic").fetchall())

    def _bounds(self, topic: str, partition: int) -> tuple[int, int]:
        del partition
        number = self._number(topic)
        with self._file.errors(), self._file.reading() as connection:
            return _bounds(connection, number)

    def _number(self, topic: str) -> int:
        number = self._numbers.get(topic)
        if number is None:
            raise LogError(f"The log has no topic {topic}.", "unknown_topic")
        return number

    def _append(self, connection: sqlite3.Connection, messages: Sequence[Message]) -> list[int]:
        now = (self._clock() - _EPOCH) // _MICROSECOND
        topics: dict[str, _Appending] = {}
        positions = []
        for message in messages:
            topic = topics.get(message.topic)
            if topic is None:
                number = self._number(message.topic)
                topic = topics[message.topic] = _appending(connection, number, now)
            positions.append(topic.take(message))
        for topic in topics.values():
            _insert(connection, topic)
        return positions

    def _advance(self, connection: sqlite3.Connection, to: Progress) -> None:
        stored = _progress(connection, to.consumer, to.topic)
        if stored != self._asked.get((to.consumer, to.topic), 0) or to.position < stored:
            raise StaleProgress(
                f"Another process of {to.consumer} has come to {stored} of {to.topic}: its "
                "progress is to be asked for again."
            )
        connection.execute(
            "INSERT INTO progress (consumer, topic, position) VALUES (?, ?, ?) "
            "ON CONFLICT (consumer, topic) DO UPDATE SET position = excluded.position",
            (to.consumer, to.topic, to.position),
        )

    def _check_position(self, connection: sqlite3.Connection, topic: str, position: int) -> None:
        first, end = _bounds(connection, self._number(topic))
        if position < first:
            raise LogError(
                f"The records of {topic} before {first} have been aged out, and {position} is "
                "asked for.",
                "aged_out",
            )
        if position > end:
            raise LogError(
                f"The log {self._file.path} ends at {end} of {topic}, and {position} is asked "
                "for: it is not the log that was read before.",
                "another_log",
            )

    def _forget(self, number: int, limit: int) -> int:
        forgotten = 0
        while True:
            with self._one_writer, self._file.errors(), self._file.writing() as connection:
                first, end = _bounds(connection, number)
                after = min(limit, end, first + _MOST_DELETED)
                if after <= first:
                    return forgotten
                connection.execute(f"DELETE FROM messages_{number} WHERE position < ?", (after,))
                connection.execute(
                    "UPDATE topic SET first_position = ? WHERE number = ?", (after, number)
                )
            forgotten += after - first


def _make_topic(connection: sqlite3.Connection, topic: str) -> None:
    made = connection.execute(
        "INSERT INTO topic (name, first_position, next_position, last_at) VALUES (?, 0, 0, 0) "
        "ON CONFLICT (name) DO NOTHING RETURNING number",
        (topic,),
    ).fetchone()
    if made is not None:
        connection.execute(
            f"CREATE TABLE messages_{made[0]} (position INTEGER PRIMARY KEY, key TEXT NOT NULL, "
            "appended_at INTEGER NOT NULL, value BLOB NOT NULL)"
        )


def _bounds(connection: sqlite3.Connection, number: int) -> tuple[int, int]:
    """First position that is kept, and that of the next message."""
    first, end = connection.execute(
        "SELECT first_position, next_position FROM topic WHERE number = ?", (number,)
    ).fetchone()
    return first, end


def _progress(connection: sqlite3.Connection, consumer: str, topic: str) -> int:
    found = connection.execute(
        "SELECT position FROM progress WHERE consumer = ? AND topic = ?", (consumer, topic)
    ).fetchone()
    return 0 if found is None else int(found[0])


def _appended_at(connection: sqlite3.Connection, number: int, position: int) -> int:
    """When a record was appended, in microseconds; 0 where it has been aged out meanwhile."""
    found = connection.execute(
        f"SELECT appended_at FROM messages_{number} WHERE position = ?", (position,)
    ).fetchone()
    return 0 if found is None else int(found[0])


def _appending(connection: sqlite3.Connection, number: int, now: int) -> _Appending:
    position, last_at = connection.execute(
        "SELECT next_position, last_at FROM topic WHERE number = ?", (number,)
    ).fetchone()
    return _Appending(number, position, max(now, last_at), _moment(last_at).date())


def _insert(connection: sqlite3.Connection, topic: _Appending) -> None:
    rows, at = topic.rows, 0
    for size in _ROWS_OF_STATEMENTS:
        insert = (
            f"INSERT INTO messages_{topic.number} (position, key, appended_at, value) "
            f"VALUES {', '.join(['(?, ?, ?, ?)'] * size)}"
        )
        while len(rows) - at >= size:
            connection.execute(insert, [value for row in rows[at : at + size] for value in row])
            at += size
    connection.execute(
        "UPDATE topic SET next_position = ?, last_at = ? WHERE number = ?",
        (topic.first + len(topic.rows), topic.at, topic.number),
    )
    day = _moment(topic.at).date()
    if topic.first == 0 or day != topic.last_day:
        connection.execute(
            "INSERT INTO day (topic, day, first_position) VALUES (?, ?, ?)",
            (topic.number, day.isoformat(), topic.first),
        )


def _records(
    connection: sqlite3.Connection, topic: str, number: int, position: int, limit: int
) -> list[Record]:
    found = connection.execute(
        f"SELECT position, key, appended_at, value FROM messages_{number} WHERE position >= ? "
        "ORDER BY position LIMIT ?",
        (position, limit),
    )
    records, size, at, moment = [], 0, 0, _EPOCH
    for place, key, appended_at, value in found:
        if appended_at != at:
            at, moment = appended_at, _moment(appended_at)
        records.append(Record(topic, place, key, value, moment))
        size += len(value)
        if size >= _MOST_BYTES_READ:
            break
    found.close()
    return records


def _moment(microseconds: int) -> dt.datetime:
    return _EPOCH + microseconds * _MICROSECOND
