"""The file of a log: its connections, its transactions, and what its errors mean.

Every commit is on the disk when it returns (WAL, synchronous=FULL). Who reads sees the last commit
and neither waits for a writer nor keeps one waiting.
"""

import os
import queue
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from clearhouse.core.ending import close_at_end
from clearhouse.log.log import LogError

PAGE_BYTES = 8192
"""A message of 2.6 KB shares its page with two others."""

VERSION = 1
"""Of the tables."""

_OPENING_SECONDS = 10.0
_WRITING_SECONDS = 5.0
_POLL_SECONDS = 0.0005
"""SQLite's own waiting for another process sleeps up to 0.1 s; a group commit takes some ms."""
_PAGES_BETWEEN_CHECKPOINTS = 1000
_MOST_BYTES_OF_WAL_LEFT = 64 << 20
_LITTLE_ROOM_BYTES = 1 << 20
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_PRIMARY = 0xFF
"""The part of an extended result code that names its kind."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS topic (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, "
    "first_position INTEGER NOT NULL, next_position INTEGER NOT NULL, last_at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS day (topic INTEGER NOT NULL, day TEXT NOT NULL, "
    "first_position INTEGER NOT NULL, PRIMARY KEY (topic, day)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS progress (consumer TEXT NOT NULL, topic TEXT NOT NULL, "
    "position INTEGER NOT NULL, PRIMARY KEY (consumer, topic)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS log (identity TEXT NOT NULL)",
)


class LogFile:
    """A file with the tables of a log. Its methods may be called from several threads.

    Args:
        path: made if it is missing.
        max_bytes: what it may grow to; then it is full.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self._max_pages = max(max_bytes // PAGE_BYTES, 64)
        self._writer: sqlite3.Connection | None = None
        self._idle_readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        with self.errors():
            self._make()
            self._identity = self._found()
        close_at_end(self, LogFile.close)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes; one at a time: the caller holds a lock of the process."""
        self._check_in_place()
        connection = self._writer or self._open_writer()
        self._writer = None  # after an error it is not used again: its state is not known
        try:
            _begin(connection)
            yield connection
            self._check_in_place()
            connection.execute("COMMIT")
        except BaseException as error:
            if isinstance(error, sqlite3.Error):
                connection.close()
            else:
                connection.execute("ROLLBACK")
                self._writer = connection
            raise
        self._writer = connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection on which each statement reads one state of the log."""
        self._check_in_place()
        try:
            connection = self._idle_readers.get_nowait()
        except queue.Empty:
            connection = self._open()
            connection.execute("PRAGMA query_only = ON")
        try:
            yield connection
        except sqlite3.Error:
            connection.close()
            raise
        self._idle_readers.put(connection)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Tell what SQLite or the file system can't do as `LogError`."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._told(error) from error
        except OSError as error:
            raise LogError(f"The log {self.path} can't be used: {error.strerror}.") from error

    def close(self) -> None:
        """Close the connections that nobody uses."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        while not self._idle_readers.empty():
            self._idle_readers.get().close()

    def _check_in_place(self) -> None:
        """Refuse a file that was removed or replaced: what is written to it would be lost.

        Its connections would go on with the removed one, and tell that all is well.
        """
        if self._found() != self._identity:
            raise LogError(
                f"The log {self.path} was removed, or another file is in its place: stop the "
                "services, put it back, and start them again.",
                "log_gone",
            )

    def _found(self) -> tuple[int, int] | None:
        """The file at the path: its device and number; None where there is none."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _make(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._open()) as connection:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            _use_write_ahead_log(connection)
            if _version(connection) == VERSION:
                return
            _begin(connection)
            found = _version(connection)
            if found > VERSION:
                raise LogError(
                    f"A later version of Clearhouse keeps the log {self.path}: install it again, "
                    "or set LOG_URL to another file.",
                    "log_of_later",
                )
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute(
                "INSERT INTO log (identity) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM log)",
                (uuid.uuid4().hex,),
            )
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")

    def _open_writer(self) -> sqlite3.Connection:
        connection = self._open()
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_BETWEEN_CHECKPOINTS}")
        connection.execute(f"PRAGMA journal_size_limit = {_MOST_BYTES_OF_WAL_LEFT}")
        connection.execute(f"PRAGMA max_page_count = {self._max_pages}")
        return connection

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self.path, timeout=_OPENING_SECONDS, isolation_level=None, check_same_thread=False
        )

    def _told(self, error: sqlite3.Error) -> LogError:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        kind = code & _PRIMARY
        if kind == sqlite3.SQLITE_FULL or (kind == sqlite3.SQLITE_IOERR and self._has_no_room()):
            return LogError(
                f"The log {self.path} is full: free room on its disk, or raise LOG_MAX_BYTES.",
                "log_full",
            )
        if kind in _BUSY:
            return LogError(
                f"The log {self.path} is held by another process for too long.", "log_busy"
            )
        return LogError(f"The log {self.path} can't be used: {error}.")

    def _has_no_room(self) -> bool:
        disk = os.statvfs(self.path.parent)
        return disk.f_bavail * disk.f_frsize < _LITTLE_ROOM_BYTES


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _begin(connection: sqlite3.Connection) -> None:
    """Begin to write, after those who write now: IMMEDIATE, as a later lock could be refused."""
    connection.execute("PRAGMA busy_timeout = 0")
    _when_free(connection, "BEGIN IMMEDIATE", _WRITING_SECONDS)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Set the mode of a file; SQLite does not wait for another process that is just doing so."""
    _when_free(connection, "PRAGMA journal_mode = WAL", _OPENING_SECONDS)


def _when_free(connection: sqlite3.Connection, statement: str, seconds: float) -> None:
    """Execute a statement as soon as no other process is in its way, within some seconds."""
    give_up_at = time.monotonic() + seconds
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY not in _BUSY or time.monotonic() > give_up_at:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return
