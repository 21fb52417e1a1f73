"""What `clearhouse doctor` asks the database of the books, and Redis."""

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from clearhouse.books.schema import journal_table
from clearhouse.core.checks import Answer
from clearhouse.core.errors import ServerError
from clearhouse.core.redis_package import redis_package
from clearhouse.core.urls import SecretUrl
from clearhouse.store.database import open_to_watch

_REDIS_SECONDS = 3.0
_SQLITE = "sqlite:///"


def version_of(connection: sa.Connection) -> str:
    """The name and version of a database's program."""
    if connection.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    return f"PostgreSQL {connection.exec_driver_sql('SHOW server_version').scalar()}"


def is_missing(url: str | SecretUrl) -> bool:
    """Whether a URL names a local file that is not there yet."""
    return (
        isinstance(url, str)
        and url.startswith(_SQLITE)
        and not Path(url.removeprefix(_SQLITE)).exists()
    )


def books(url: str | SecretUrl) -> Answer:
    """Whether the books can be read.

    Raises:
        ServerError: the server can't be reached, or refuses.
    """
    if is_missing(url):
        return Answer("There are none yet: the first run makes them.")
    engine = open_to_watch(url)
    try:
        with engine.connect() as connection:
            version = version_of(connection)
            if not sa.inspect(connection).has_table(journal_table.name):
                return Answer("There are none yet: the first run makes them.", version)
            rows = connection.scalar(sa.select(sa.func.max(journal_table.c.seq))) or 0
    finally:
        engine.dispose()
    return Answer(f"Their journal has {rows:,} rows.", version)


def redis(url: SecretStr | None) -> Answer:
    """Whether Redis answers.

    Raises:
        ServerError: it does not. Its error may name the URL, and is not repeated.
        SettingsError: its client is not installed (driver_missing).
    """
    if url is None:
        return Answer("REDIS_URL is not set: each process has its own cache.")
    package = redis_package()
    client = package.Redis.from_url(
        url.get_secret_value(),
        socket_timeout=_REDIS_SECONDS,
        socket_connect_timeout=_REDIS_SECONDS,
    )
    try:
        found: Any = client.info("server")
    except package.AuthenticationError:
        raise ServerError("Redis refuses the password: correct REDIS_URL.") from None
    except (package.RedisError, OSError):
        raise ServerError(
            "Redis does not answer: see that it runs, or unset REDIS_URL to go without."
        ) from None
    finally:
        client.close()
    return Answer("Redis answers.", f"Redis {found['redis_version']}")
