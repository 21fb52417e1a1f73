"""SQLite in a file, durable by its write-ahead log."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from clearhouse.core.ending import close_at_end

_BUSY_TIMEOUT_SECONDS = 10
_WATCHER_TIMEOUT_SECONDS = 2
_POLL_SECONDS = 0.01


def open_sqlite(url: str) -> sa.Engine:
    """An engine for `sqlite:///<path>`.

    Every commit is on the disk when it returns (WAL, synchronous=FULL). Transactions begin
    IMMEDIATE: one that reads and then writes would otherwise fail at once, whatever the time-out,
    when another wrote in between.
    """
    path = url.removeprefix("sqlite:///")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's begin event below opens transactions
        _use_write_ahead_log(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return close_at_end(engine, sa.Engine.dispose)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Set the mode of a file; SQLite does not wait for another process that is just doing so."""
    give_up_at = time.monotonic() + _BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return


def open_sqlite_to_watch(url: str) -> sa.Engine:
    """An engine that reads a file beside those who write it.

    Each transaction reads one state (WAL), keeps no writer waiting and waits for none. The file is
    opened anew each time, as another may have been put in its place.
    """
    path = url.removeprefix("sqlite:///")
    read_only = f"sqlite:///file:{path}?mode=ro&uri=true"
    engine = sa.create_engine(
        read_only,
        poolclass=sa.NullPool,
        connect_args={"timeout": _WATCHER_TIMEOUT_SECONDS, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's begin event below opens transactions

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
