"""Connections to the server: how they are opened, and what is said when they can't be."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import Literal

from clearhouse.core.errors import ServerError, StoreError, first_line
from clearhouse.core.postgres_refusals import other_encoding, why_refused
from clearhouse.core.urls import SecretUrl

_CONNECT_SECONDS = 10
_KEEPALIVE_SECONDS = 30
_LEAST_VERSION = 14
_PARAMETER = re.compile(r"\$(\d+)")
_SESSION = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "client_min_messages": "warning",
    "extra_float_digits": "1",  # doubles read back the same
    # How a view's text is written depends on these: it is compared with what was built.
    "search_path": "pg_catalog",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "row_security": "on",  # readers' queries are filtered, and not refused
    "default_transaction_isolation": r"read\ committed",  # sees what it waited for
    "jit": "off",  # compiling takes longer than most of our queries
    "work_mem": "256MB",  # a touched set of a year's keys is hashed in memory
    # Sessions are idle while a run pulls or builds elsewhere, and one of them holds its lock.
    "idle_session_timeout": "0",
    # A host that is cut off keeps its locks until the server notices: by default after two hours.
    "tcp_keepalives_idle": str(_KEEPALIVE_SECONDS),
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""What our answers and locks depend on, whatever the server's own settings are."""
_CLIENT: dict[str, Any] = {
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives_idle": _KEEPALIVE_SECONDS,  # or a firewall forgets an idle connection
    # What was sent to a host that is gone would be repeated for a quarter of an hour.
    "tcp_user_timeout": _KEEPALIVE_SECONDS * 1_000,
}
"""What libpq is told, where the URL does not say otherwise."""
_AT_ONCE = 4
"""Sessions that share what can be done in any order: one session has one of the server's cores."""
_held: dict[str, list[psycopg.Connection[Any]]] = {}
"""By database, the sessions that hold the locks of this process."""


def options_of(given: Mapping[str, Any]) -> str:
    """What a session is set to: as the URL says, and what must be so."""
    ours = (f"-c {name}={value}" for name, value in _SESSION.items())
    return " ".join([str(given.get("options") or ""), *ours])


class Database:
    """One connection of this process to a database, opened by the first call that needs it.

    Args:
        url: the database.
        set_up: run once when it is opened.
    """

    def __init__(
        self, url: SecretUrl, set_up: Callable[[psycopg.Connection[Any]], None] | None
    ) -> None:
        self.url = url
        self._set_up = set_up
        self._connection: psycopg.Connection[Any] | None = None
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        """The connection, for this thread alone.

        Raises:
            StoreError: the server does not answer, or refuses what is asked.
            ServerError: it has ended the session that kept other runs away (lock_lost).
        """
        see_that_locks_are_held(self.url)
        with self._lock, said_plainly(self.url):
            if self._connection is None or self._connection.closed:
                self._connection = opened(self.url)
                if self._set_up is not None:
                    set_up, self._set_up = self._set_up, None
                    set_up(self._connection)
            yield self._connection


def run_at_once(
    url: SecretUrl, tasks: Sequence[Callable[[psycopg.Connection[Any]], object]]
) -> None:
    """Do what depends on nothing else, over a few sessions; what one of them does is committed.

    Raises:
        StoreError: as `Database.session`. What other sessions have done stays.
    """
    see_that_locks_are_held(url)

    def work(share: Sequence[Callable[[psycopg.Connection[Any]], object]]) -> None:
        with said_plainly(url), closing(opened(url)) as connection:
            connection.execute("SET max_parallel_maintenance_workers = 0")  # we are the others
            for task in share:
                task(connection)

    shares = [tasks[n::_AT_ONCE] for n in range(min(_AT_ONCE, len(tasks)))]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(work, shares))


def opened(url: SecretUrl) -> psycopg.Connection[Any]:
    """A new connection.

    Raises:
        StoreError: the server is too old, or the database can't hold every text.
    """
    given = conninfo_to_dict(url.for_client())
    connection = psycopg.connect(
        url.for_client(),
        autocommit=True,
        options=options_of(given),
        application_name="clearhouse",
        client_encoding="UTF8",
        **{name: value for name, value in _CLIENT.items() if name not in given},
    )
    if connection.info.server_version < _LEAST_VERSION * 10_000:
        connection.close()
        raise StoreError(
            f"{url} is older than PostgreSQL {_LEAST_VERSION}: take a newer server.",
            "engine_failed",
        )
    if (why := other_encoding(connection.info)) is not None:
        connection.close()
        raise StoreError(f"The engine {url} {why.format(setting='its setting')}.", "engine_failed")
    return connection


@contextmanager
def said_plainly(url: SecretUrl) -> Iterator[None]:
    """Say in one sentence what a server did not do.

    What it says to one who connects is not shown: it can hold the name of the user.
    """
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise ServerError(
            f"Somebody has a transaction open on what {url} is to show anew: end it and run this "
            "again.",
            "engine_busy",
        ) from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise ServerError(f"The engine {url} {_why(error)}.", "engine_failed") from None
    except psycopg.Error as error:
        raise StoreError(
            f"The engine {url} can't do what is asked: {first_line(error)}.", "engine_failed"
        ) from error


def _why(error: psycopg.Error) -> str:
    """What is wrong, and what to do about it."""
    told = str(error)
    if (refusal := why_refused(told, "its setting")) is not None:
        return refusal
    if error.sqlstate is not None and not isinstance(error, psycopg.errors.AdminShutdown):
        return f"can't do what is asked: {first_line(error)}"
    return "does not answer: see that its server runs, and run this again"


def with_parameters(
    connection: psycopg.Connection[Any], sql: str, parameters: Sequence[object]
) -> str:
    """A query with its `$1`, `$2` … written out: COPY takes none."""
    if not parameters:
        return sql
    texts = [Literal(value).as_string(connection) for value in parameters]
    return _PARAMETER.sub(lambda match: texts[int(match[1]) - 1], sql)


@contextmanager
def only_run(
    url: SecretUrl,
    domain: str,
    *,
    wait_seconds: float = 60.0,
    on_wait: Callable[[], None] | None = None,
) -> Iterator[None]:
    """Hold the right to change what a database has of a domain for as long as the block lasts.

    The lock in a home keeps runs apart on one machine; this one, on all. The server releases it
    when the connection ends, however it ends: whether it is still held is asked for before each
    session of this process.

    Raises:
        StoreError: another run holds it still (run_under_way), or the server does not answer.
    """
    with said_plainly(url):
        connection = opened(url)
    try:
        _take(connection, url, domain, wait_seconds, on_wait)
        holders = _held.setdefault(url.identity, [])
        holders.append(connection)
        try:
            yield
        finally:
            holders.remove(connection)
    finally:
        connection.close()


def see_that_locks_are_held(url: SecretUrl) -> None:
    """See that this process still has the locks that it took of a database.

    Raises:
        ServerError: it has not (lock_lost).
    """
    for session in list(_held.get(url.identity, ())):
        try:
            session.execute("SELECT 1")
        except psycopg.Error:
            raise ServerError(
                f"The engine {url} ended the session that kept other runs away, and one may be at "
                "work by now: nothing more is written, run the same command again.",
                "lock_lost",
            ) from None


def _take(
    connection: psycopg.Connection[Any],
    url: SecretUrl,
    domain: str,
    wait_seconds: float,
    on_wait: Callable[[], None] | None,
) -> None:
    give_up_at = time.monotonic() + wait_seconds
    tell_at = time.monotonic() + 1.0
    name = f"clearhouse run of {domain}"
    sql = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
    while True:
        with said_plainly(url):
            (taken,) = connection.execute(sql, [name]).fetchone() or (False,)
        if taken:
            return
        now = time.monotonic()
        if now > give_up_at:
            raise StoreError(
                f"Another run of {domain} is still at work in {url} after {wait_seconds:g} s: "
                "wait for it to end.",
                "run_under_way",
            )
        if on_wait is not None and now > tell_at:
            on_wait()
            on_wait = None
        time.sleep(0.1)
