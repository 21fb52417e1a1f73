"""A service's own database: SQLite in a file, or PostgreSQL on a server, its tables migrated.

Reading never waits for writing. Who writes is the only one of its process to do so: waiting in a
queue is fair, and SQLite's busy time-out is not.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from clearhouse.core.database_access import BATCH, DatabaseAccess
from clearhouse.core.ending import close_at_end
from clearhouse.core.errors import StoreError
from clearhouse.core.urls import SecretUrl
from clearhouse.store import roles

_BUSY_TIMEOUT_SECONDS = 30
_WRITES = "clearhouse_writes"
_PAGES_BETWEEN_CHECKPOINTS = 8_000
"""32 MiB. Batches write the same pages of indexes again and again, and each is copied once."""


@dataclass(frozen=True)
class Schema:
    """The tables of a service.

    Attributes:
        holds: what is in them, in a word.
        setting: the variable that names where they are.
        version_table: the table that says which migration they are at.
        version: the last migration. They are numbered in their order.
        migrations: alembic's folder.
        lock: number of the lock under which a server's tables are changed.
        prepared_by: the command by which the tables' owner migrates them.
        rights: what roles may do with the rows, by role (`store.roles`).
    """

    holds: str
    setting: str
    version_table: sa.Table
    version: str
    migrations: Path
    lock: int
    prepared_by: str
    rights: Mapping[str, str] = field(default_factory=dict)

    def grant(self, connection: sa.Connection) -> None:
        """Give the roles their rights in the tables, which the user of the connection owns."""
        rows = [name for name in self.version_table.metadata.tables if name != self._version_name]
        roles.grant(connection, self.rights, rows)
        roles.grant(connection, dict.fromkeys(self.rights, roles.READS), [self._version_name])

    @property
    def _version_name(self) -> str:
        return self.version_table.name


class MigratedDatabase:
    """An open store with its tables up to date. Commits are durable when they return."""

    def __init__(
        self, url: str | SecretUrl, schema: Schema, access: DatabaseAccess = BATCH
    ) -> None:
        access = replace(access, setting=schema.setting)
        self.engine = _postgres(url, access) if isinstance(url, SecretUrl) else _sqlite(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._schema = schema
        self._one_writer = threading.Lock()
        try:
            self._bring_up_to_date()
        except Exception:
            self.engine.dispose()
            raise

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that reads one state of the store."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(
        self, *, may_be_lost: bool = False, takes_long: bool = False
    ) -> Iterator[sa.Connection]:
        """A transaction that may write; it waits for those of others.

        Args:
            takes_long: it changes tables or indexes: no statement of it is ended for its time.
            may_be_lost: it may be gone, whole, after the machine has failed; the commit does not
                wait for the disk.
        """
        options: dict[str, Any] = {_WRITES: "NORMAL" if may_be_lost else "FULL"}
        if not self.is_sqlite:
            options["isolation_level"] = "READ COMMITTED"  # sees what it waited for
        with (
            self._one_writer,
            self.engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            if may_be_lost and not self.is_sqlite:
                connection.execute(sa.text("SET LOCAL synchronous_commit TO off"))
            if takes_long and not self.is_sqlite:
                connection.execute(sa.text("SET LOCAL statement_timeout TO 0"))
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _bring_up_to_date(self) -> None:
        with self.reading() as connection:
            if self._is_current(connection):  # who may read and not migrate goes on
                return
        with self.writing(takes_long=True) as connection:
            if not self.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(self._schema.lock)))
            if self._is_current(connection):  # by another process meanwhile
                return
            if not (self.is_sqlite or _may_migrate(connection, self._schema.version_table)):
                raise StoreError(
                    f"The tables of the {self._schema.holds} are not as this version of Clearhouse "
                    f"needs them, and the user of {self._schema.setting} does not own them: let "
                    f"their owner run `{self._schema.prepared_by}`.",
                    f"{self._schema.holds}_not_prepared",
                )
            _migrate(connection, self._schema)
            self._schema.grant(connection)

    def _is_current(self, connection: sa.Connection) -> bool:
        schema = self._schema
        found = _version(connection, schema.version_table)
        if found is not None and found > schema.version:
            raise StoreError(
                f"A later version of Clearhouse made the tables of the {schema.holds}: install "
                f"it again, or set {schema.setting} to another store.",
                f"{schema.holds}_of_later",
            )
        return found == schema.version


def _may_migrate(connection: sa.Connection, version_table: sa.Table) -> bool:
    """Whether the user may make tables, and owns those that are there."""
    return bool(
        connection.scalar(
            sa.text(
                "SELECT has_schema_privilege(current_schema(), 'CREATE') AND coalesce("
                "(SELECT pg_has_role(relowner, 'USAGE') FROM pg_class"
                " WHERE oid = to_regclass(:name)), true)"
            ),
            {"name": version_table.name},
        )
    )


def _version(connection: sa.Connection, table: sa.Table) -> str | None:
    if not sa.inspect(connection).has_table(table.name):
        return None
    return connection.scalar(sa.select(table.c.version_num))


def _migrate(connection: sa.Connection, schema: Schema) -> None:
    from alembic import command  # half a second, which an up-to-date store does not need
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(schema.migrations).replace("%", "%%"))
    command.upgrade(config, schema.version)


def _sqlite(url: str) -> sa.Engine:
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url,
        connect_args={"timeout": _BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        hide_parameters=True,
        pool_size=16,
        max_overflow=48,  # as many as there are threads to answer with
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the begin event below opens transactions
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA cache_size = -32768")  # 32 MiB, for pages of the indexes
        connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_BETWEEN_CHECKPOINTS}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # One that reads and then writes would otherwise fail at once when another wrote between.
        writes = connection.get_execution_options().get(_WRITES)
        if writes:
            connection.exec_driver_sql(f"PRAGMA synchronous = {writes}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return close_at_end(engine, sa.Engine.dispose)


def _postgres(url: SecretUrl, access: DatabaseAccess) -> sa.Engine:
    from clearhouse.store.postgres import open_postgres  # its driver takes a while to import

    engine = open_postgres(url, access)
    engine.hide_parameters = True
    return engine
