"""The operational store by its URL: SQLite in a file, or PostgreSQL on a server."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import sqlalchemy as sa

from clearhouse.core.database_access import BATCH, DatabaseAccess
from clearhouse.core.urls import SecretUrl
from clearhouse.store.sqlite import open_sqlite, open_sqlite_to_watch
from clearhouse.store.tables import bring_up_to_date


def open_database(url: str | SecretUrl, *, reads_only: bool = False) -> sa.Engine:
    """The store, with its tables as this version has them. A commit is durable when it returns.

    Args:
        url: `sqlite:///<path>`, or `postgresql://…`.
        reads_only: nothing is to be changed in it; a server refuses it then.

    Raises:
        StoreError: another version made its tables, and this one can't go on with them.
        ServerError: the server can't be reached, or refuses.
        SettingsError: the driver for the server is not installed.
    """
    if isinstance(url, SecretUrl):
        from clearhouse.store.postgres import open_postgres  # its driver takes a while to import

        engine = open_postgres(url, replace(BATCH, reads_only=reads_only))
    else:
        engine = open_sqlite(url)
    bring_up_to_date(engine)
    return engine


def open_to_watch(url: str | SecretUrl, access: DatabaseAccess = BATCH) -> sa.Engine:
    """The store for one who only reads it, beside runs: its tables are taken as they are.

    Nothing is opened yet: a store that is not there, or does not answer, fails when it is asked.

    Args:
        url: `sqlite:///<path>`, or `postgresql://…`.
        access: to a server.

    Raises:
        SettingsError: the driver for the server is not installed.
    """
    if isinstance(url, SecretUrl):
        from clearhouse.store.postgres import open_postgres

        return open_postgres(url, replace(access, reads_only=True))
    return open_sqlite_to_watch(url)


def only_run_of_all_hosts(
    url: str | SecretUrl, domain: str, on_wait: Callable[[], None] | None = None
) -> AbstractContextManager[None]:
    """Be the only run of a domain on the books of a server, whichever hosts others are on.

    A file has no other hosts: the lock of the home is enough for it.
    """
    if not isinstance(url, SecretUrl):
        return nullcontext()
    from clearhouse.store.postgres import only_run

    return only_run(url, domain, on_wait=on_wait)


@sa.event.listens_for(sa.Engine, "handle_error")
def _note_which_store(context: sa.ExceptionContext) -> None:
    """Keep with an error of a database which of them it comes from: the error does not say."""
    if context.engine is not None and context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.add_note(str(context.engine.url.database))
