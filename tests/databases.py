"""Databases for tests of what is kept in SQL: in files, or on a PostgreSQL server."""

import contextlib
import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
import sqlalchemy as sa

from clearhouse.books import Books
from clearhouse.core.urls import SecretUrl
from clearhouse.store.database import open_database


class Databases(Protocol):
    """Where databases can be made. Each is named by its URL."""

    def bare(self) -> str:
        """A database with nothing in it."""
        ...

    def new(self) -> str:
        """A database with empty tables, or one that gets them when it is opened."""
        ...

    def copy(self, url: str) -> str:
        """A copy of a database that nobody has open."""
        ...

    def edit(self, url: str, *statements: str) -> None:
        """Change what a database holds as somebody does who has it and knows no books."""
        ...

    def __str__(self) -> str:
        """What `databases_at` takes in another process."""
        ...


class SqliteDatabases:
    """Files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def __str__(self) -> str:
        return str(self._folder)

    def bare(self) -> str:
        return f"sqlite:///{self._unused()}"

    def new(self) -> str:
        return self.bare()

    def copy(self, url: str) -> str:
        return f"sqlite:///{shutil.copyfile(_path(url), self._unused())}"

    def edit(self, url: str, *statements: str) -> None:
        with contextlib.closing(sqlite3.connect(_path(url), isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    def _unused(self) -> Path:
        paths = (self._folder / f"{number}.db" for number in self._numbers)
        return next(path for path in paths if not path.exists())


class PostgresDatabases:
    """Databases of a server, by the URL of one of them, of a superuser."""

    def __init__(self, url: str) -> None:
        self._url = sa.make_url(url)
        self._empty: str | None = None

    def __str__(self) -> str:
        return self._named(self._url.database)

    def bare(self) -> str:
        return self.copy(self._named("template1"))

    def new(self) -> str:
        if self._empty is None:  # to copy tables is quicker than to make them
            self._empty = self.bare()
            opened(self._empty).dispose()
        return self.copy(self._empty)

    def copy(self, url: str) -> str:
        source = sa.make_url(url).database
        with self._connected(self._named("postgres")) as connection:
            number = connection.execute("SELECT max(oid::bigint) FROM pg_database").fetchone()[0]
            name = f"made_after_{number}"
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
        return self._named(name)

    def edit(self, url: str, *statements: str) -> None:
        with self._connected(url) as connection:
            connection.execute("SET session_replication_role = replica")  # no foreign keys
            for statement in statements:
                connection.execute(statement)

    def _named(self, name: str | None) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    @staticmethod
    def _connected(url: str) -> "contextlib.AbstractContextManager[object]":
        import psycopg

        return psycopg.connect(url, autocommit=True)


def databases_at(place: str) -> Databases:
    """The databases of a folder, or of a server."""
    is_server = place.startswith("postgresql:")
    return PostgresDatabases(place) if is_server else SqliteDatabases(Path(place))


def opened(url: str) -> sa.Engine:
    """A database, opened as the product opens it."""
    is_server = url.startswith("postgresql:")
    return open_database(SecretUrl.parse(url, ("postgresql",)) if is_server else url)


def url_of(engine: sa.Engine) -> str:
    """The URL by which a database was opened."""
    name = engine.dialect.name
    return engine.url.set(drivername=name).render_as_string(hide_password=False)


def _path(url: str) -> str:
    return url.removeprefix("sqlite:///")


@pytest.fixture
def database(databases: Databases) -> Iterator[sa.Engine]:
    engine = opened(databases.new())
    yield engine
    engine.dispose()


@pytest.fixture
def books(database: sa.Engine) -> Books:
    return Books(database)
