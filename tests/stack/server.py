"""The stack's PostgreSQL, with a superuser of the tests' own."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import psycopg
import sqlalchemy as sa
from databases import PostgresDatabases

from stack.commands import Stack, own_ports

USER = "keeper"


class Server:
    """The server of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.password = secrets.token_hex(16)
        admin = sa.make_url(stack.settings["POSTGRES_ADMIN_URL"])
        self.port = admin.port
        PostgresDatabases(_text(admin)).edit(
            _text(admin), f"CREATE ROLE {USER} SUPERUSER LOGIN PASSWORD '{self.password}'"
        )

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/postgres"

    @cached_property
    def databases(self) -> PostgresDatabases:
        return PostgresDatabases(self.url)

    def analyst_of(self, database: str) -> str:
        """The URL of a user who may read a database, and nothing else."""
        url = sa.make_url(self.url).set(database=database)
        self.databases.edit(
            _text(url),
            f"CREATE ROLE analyst LOGIN PASSWORD '{self.password}'",
            "GRANT pg_read_all_data TO analyst",
        )
        return _text(url.set(username="analyst"))

    def database(self, name: str, made_with: str = "") -> str:
        """A new database's URL."""
        self.databases.edit(self.url, f'CREATE DATABASE "{name}" {made_with}')
        return _text(sa.make_url(self.url).set(database=name))

    def make_login(self, name: str, role: str, database: str) -> None:
        """A user who may do what a role may."""
        self.databases.edit(
            _text(sa.make_url(self.url).set(database=database)),
            f"CREATE ROLE {name} LOGIN PASSWORD '{self.password}'",
            f"GRANT {role} TO {name}",
        )

    def connected(self, database: str, user: str = USER, **options: Any) -> psycopg.Connection[Any]:
        """A connection to a database, each statement by itself."""
        url = _text(sa.make_url(self.url).set(database=database, username=user))
        return psycopg.connect(url, autocommit=True, **options)

    def start(self) -> None:
        self._stack.up()

    def kill(self) -> None:
        """SIGKILL to the server."""
        self._stack.kill("postgres")


@contextmanager
def running() -> Iterator[Server]:
    """A server of a test's own, for as long as the block lasts."""
    stack = Stack("postgres", **own_ports())
    try:
        stack.up()
        yield Server(stack)
    finally:
        stack.remove()


def _text(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)
