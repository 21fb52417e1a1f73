"""The tables of the operational store and the books, made or brought up to date when it is opened.

The version of a store's tables is kept in it. New stores are made at once as they are now, and
earlier versions are migrated by alembic, which is imported only then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from clearhouse.books import schema
from clearhouse.core.errors import StoreError
from clearhouse.store import landing_totals, quarantine, roles

VERSION = "0002"
"""The last migration. They are numbered in their order."""

_FIRST = "0001"
_MIGRATIONS = Path(__file__).with_name("migrations")
_TABLES = (schema.metadata, quarantine.metadata, landing_totals.metadata)
_MIGRATING = 0x636C65617268
"""Number of the lock under which a server's tables are changed."""

version_table = sa.Table(
    "clearhouse_version",  # alembic's own name may be in use by another program of the database
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), primary_key=True),
)


def all_tables() -> dict[str, sa.Table]:
    """Every table of the store by name, as this version has them."""
    return {name: table for metadata in _TABLES for name, table in metadata.tables.items()}


def bring_up_to_date(engine: sa.Engine) -> None:
    """Make the tables that are not there yet, and migrate those of an earlier version.

    Raises:
        StoreError: they are of a later version (books_of_later), or of one before migrations, with
            other columns (books_of_before).
    """
    with engine.connect() as connection:
        if _is_up_to_date(connection):
            return
    with _changing(engine) as connection:
        if _is_up_to_date(connection):  # by another process meanwhile
            return
        version = _version(connection) or _version_before_migrations(connection)
        if version > VERSION:
            raise StoreError(
                "A later version of Clearhouse keeps these books: install it again, or set "
                "CLEARHOUSE_HOME or DATABASE_URL to others.",
                "books_of_later",
            )
        _write_version(connection, version)
        if version < VERSION:
            _migrate(connection, VERSION)
        for (
            metadata
        ) in _TABLES:  # of a new store, and what was dropped: the journal misses its rows
            metadata.create_all(connection)
        grant_rights(connection)


def grant_rights(connection: sa.Connection) -> None:
    """Give the role of the batch its right to read the books, which the connection's user owns."""
    roles.grant(connection, {roles.BATCH: roles.READS}, [*all_tables(), version_table.name])


@contextmanager
def _changing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction in which no other process changes the tables."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="READ COMMITTED")  # sees what it awaited
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
        yield connection


def _is_up_to_date(connection: sa.Connection) -> bool:
    there = sa.inspect(connection).get_table_names()
    return all_tables().keys() <= set(there) and _version(connection) == VERSION


def _version(connection: sa.Connection) -> str | None:
    """The version that the store says it has."""
    if not sa.inspect(connection).has_table(version_table.name):
        return None
    return connection.scalar(sa.select(version_table.c.version_num))


def _write_version(connection: sa.Connection, version: str) -> None:
    version_table.create(connection, checkfirst=True)
    connection.execute(sa.delete(version_table))
    connection.execute(sa.insert(version_table).values(version_num=version))


def _version_before_migrations(connection: sa.Connection) -> str:
    """The version of a store that does not say it: it is new, or has the tables of the first."""
    there = _columns(connection)
    if not there:
        return VERSION
    with sa.create_engine("sqlite://").begin() as in_memory:
        _migrate(in_memory, _FIRST)
        first = _columns(in_memory)
    if any(columns != first.get(name) for name, columns in there.items()):
        raise StoreError(
            "An earlier version of Clearhouse kept these books, and this one can't go on "
            "with them: set CLEARHOUSE_HOME to another folder, and what has landed is "
            "pulled again.",
            "books_of_before",
        )
    return _FIRST


def _columns(connection: sa.Connection) -> dict[str, set[str]]:
    """The columns of each of our tables that is there."""
    inspector = sa.inspect(connection)
    there = all_tables().keys() & set(inspector.get_table_names())
    return {name: {column["name"] for column in inspector.get_columns(name)} for name in there}


def _migrate(connection: sa.Connection, version: str) -> None:
    """Run the migrations up to a version, in the transaction that is open."""
    from alembic import command  # half a second, which hardly any command needs
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, version)
