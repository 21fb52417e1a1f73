"""PostgreSQL on a server: transactions, time-outs, and its errors in a sentence each.

Nothing that the server or its driver says is shown: it can hold the name of the user.

One run at a time of a domain has the right to change the books, on whichever host: a session of its
own holds a lock, which the server releases when the session ends, however it ends. A run whose
session was ended has lost the right, and it is asked for before every commit.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import sqlalchemy as sa

from clearhouse.core.database_access import BATCH, DatabaseAccess
from clearhouse.core.ending import close_at_end
from clearhouse.core.errors import ServerError, SettingsError, StoreError
from clearhouse.core.postgres_refusals import other_encoding, why_refused
from clearhouse.core.urls import SecretUrl

try:
    import psycopg
    from psycopg import errors
except ImportError:
    raise SettingsError(
        "DATABASE_URL=postgresql://… needs a driver that is not installed: install Clearhouse "
        "with the extra `postgres`, as in `pip install 'clearhouse[postgres]'`.",
        "driver_missing",
    ) from None

_CONNECT_TIMEOUT_SECONDS = 10
_KEEPALIVE_SECONDS = 30
_POOL_SECONDS = 10
"""How long a thread waits for one of the connections that others use."""
_RECYCLE_SECONDS = 1_800
"""After which a connection is opened anew: a server behind a new address is found."""
_SESSION = {
    # A host that is cut off keeps its locks until the server notices: by default after two hours.
    "tcp_keepalives_idle": str(_KEEPALIVE_SECONDS),
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    # The session that holds the lock of a run is idle for as long as the run works elsewhere.
    "idle_session_timeout": "0",
    # What the database or the user may be set to otherwise, and the driver can't read or write.
    "client_encoding": "UTF8",
    "datestyle": "ISO",
    "timezone": "UTC",
}
_SILENT_SECONDS = 1.0
_SECONDS_BETWEEN_TRIES = 0.2
_CONCURRENT = "was changed by another program in the same place: run this again"
_REASONS: dict[type[Exception], str] = {
    errors.LockNotAvailable: "is locked by another program: close it there and run this again",
    errors.SerializationFailure: _CONCURRENT,
    errors.DeadlockDetected: _CONCURRENT,
    errors.InsufficientPrivilege: "does not let the user of {setting} do this: grant it, or make "
    "that user the owner of its tables",
    errors.ReadOnlySqlTransaction: "takes no changes here: a standby takes none, and a home that "
    "can't be written makes none",
    errors.DiskFull: "has a full disk: free some of it and run this again",
    errors.QueryCanceled: "ended a statement that took longer than it may: see what keeps the "
    "server busy, and run this again",
    errors.IdleInTransactionSessionTimeout: "ended a transaction that stood still for too long: "
    "run this again",
}
_OURS: tuple[type[Exception], ...] = (psycopg.OperationalError, psycopg.InterfaceError, *_REASONS)
"""Errors of the server and of the way to it; the others are defects of ours."""
_held: dict[str, list["psycopg.Connection[Any]"]] = {}
"""By store, the sessions that hold the locks of this process."""


def open_postgres(url: SecretUrl, access: DatabaseAccess = BATCH) -> sa.Engine:
    """An engine for `postgresql://…`.

    Transactions read one state of the store from their first query on (REPEATABLE READ), as those
    of SQLite do. Whoever writes what others write too locks it before: see `writing`. A connection
    that the server has ended meanwhile is replaced before it is used.
    """
    whole = sa.make_url(url.for_client()).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(
        whole,
        isolation_level="REPEATABLE READ",
        connect_args={
            name: value
            for name, value in _of_connections(access).items()
            if name not in whole.query
        },
        pool_size=access.pool_size,
        max_overflow=access.pool_size,
        pool_timeout=_POOL_SECONDS,
        pool_recycle=_RECYCLE_SECONDS,
        pool_pre_ping=True,
    )
    session = _of_session(access)

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        if (why := other_encoding(connection.info)) is not None:
            raise ServerError(f"The store {url.public} {why.format(setting=access.setting)}.")
        settings = ", ".join(f"set_config('{k}', '{v}', false)" for k, v in session.items())
        connection.execute(f"SELECT {settings}")
        connection.commit()

    @sa.event.listens_for(engine, "commit")
    def _see_that_locks_are_held(_connection: sa.Connection) -> None:
        _check_locks(url)

    @sa.event.listens_for(engine, "handle_error")
    def _as_sentence(context: sa.ExceptionContext) -> None:
        error = context.original_exception
        if isinstance(error, _OURS) and not context.is_pre_ping:
            raise ServerError(f"The store {url.public} {_why(error, access.setting)}.")

    return close_at_end(engine, sa.Engine.dispose)


def _of_connections(access: DatabaseAccess) -> dict[str, str | int]:
    """What libpq is told, where the URL does not say otherwise."""
    return {
        "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
        "keepalives_idle": _KEEPALIVE_SECONDS,  # or a firewall forgets an idle connection
        # What was sent to a host that is gone would be repeated for a quarter of an hour.
        "tcp_user_timeout": _KEEPALIVE_SECONDS * 1_000,
        "application_name": access.program,
    }


def _of_session(access: DatabaseAccess) -> dict[str, str]:
    """What each session is set to."""
    limits = {
        "statement_timeout": access.statement_seconds,
        # Of a writer that waits for another one, as SQLite's busy time-out.
        "lock_timeout": access.lock_seconds,
        "idle_in_transaction_session_timeout": access.idle_seconds,
    }
    in_milliseconds = {name: str(round(seconds * 1_000)) for name, seconds in limits.items()}
    read_only = {"default_transaction_read_only": "on"} if access.reads_only else {}
    return {**_SESSION, **in_milliseconds, **read_only}


@contextmanager
def only_run(
    url: SecretUrl,
    domain: str,
    *,
    wait_seconds: float = 60.0,
    on_wait: Callable[[], None] | None = None,
) -> Iterator[None]:
    """Hold the right to change what a store says of a domain for as long as the block lasts.

    Args:
        url: the store, on a PostgreSQL server.
        domain: domains don't wait for each other.
        wait_seconds: how long to wait for another run to end.
        on_wait: called once when the wait has lasted a second.

    Raises:
        StoreError: another run holds it still (run_under_way).
        ServerError: the server can't be reached.
    """
    engine = open_postgres(url)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not _acquired(connection, domain, wait_seconds, on_wait):
                raise StoreError(
                    f"Another run of {domain}, here or on another host, is still at work on "
                    f"{url.public} after {wait_seconds:g} s: wait for it to end.",
                    "run_under_way",
                )
            with _noted(connection, url):
                yield
    finally:
        engine.dispose()


@contextmanager
def _noted(connection: sa.Connection, url: SecretUrl) -> Iterator[None]:
    """Let commits of this process see that the session still holds its lock; at last, end it."""
    session: psycopg.Connection[Any] = cast(Any, connection.connection.driver_connection)
    _held.setdefault(url.identity, []).append(session)
    try:
        yield
    finally:
        _held[url.identity].remove(session)
        connection.invalidate()  # there is nothing to roll back, and it may have ended already


def _check_locks(url: SecretUrl) -> None:
    """See that this process still has the locks that it took."""
    for session in _held.get(url.identity, ()):
        try:
            session.execute("SELECT 1")
        except psycopg.Error:
            raise ServerError(
                f"{url.public} ended the session that kept other runs away, and one may be at "
                "work by now: nothing more is written, run the same command again.",
                "lock_lost",
            ) from None


def _acquired(
    connection: sa.Connection,
    domain: str,
    wait_seconds: float,
    on_wait: Callable[[], None] | None,
) -> bool:
    number = int.from_bytes(hashlib.sha256(f"run of {domain}".encode()).digest()[:8], signed=True)
    attempt = sa.select(sa.func.pg_try_advisory_lock(sa.cast(number, sa.BigInteger)))
    begun = time.monotonic()
    while not connection.scalar(attempt):
        waited = time.monotonic() - begun
        if waited >= wait_seconds:
            return False
        if on_wait is not None and waited >= _SILENT_SECONDS:
            on_wait()
            on_wait = None
        time.sleep(_SECONDS_BETWEEN_TRIES)
    return True


def _why(error: BaseException, setting: str) -> str:
    """What is wrong, and what to do about it."""
    for kind, sentence in _REASONS.items():
        if isinstance(error, kind):
            return sentence.format(setting=setting)
    told = str(error)
    if (refusal := why_refused(told, setting)) is not None:
        return refusal
    if getattr(error, "sqlstate", None) is None and "FATAL" not in told:
        return "does not answer: see that its server runs, and run this again"
    return "ended or refused the connection: run this again when it takes some"
