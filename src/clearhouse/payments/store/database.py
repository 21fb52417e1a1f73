"""The operational store of payments: SQLite in a file, or PostgreSQL on a server."""

from pathlib import Path

import sqlalchemy as sa

from clearhouse.core.database_access import BATCH, DatabaseAccess
from clearhouse.core.errors import ClearhouseError
from clearhouse.core.urls import SecretUrl
from clearhouse.payments.store import tables
from clearhouse.store import roles
from clearhouse.store.migrated import MigratedDatabase, Schema

SCHEMA = Schema(
    holds="payments",
    setting="PAYMENTS_DATABASE_URL",
    version_table=tables.version,
    version="0007",
    migrations=Path(__file__).with_name("migrations"),
    lock=0x7061796D656E7473,
    prepared_by="clearhouse payments prepare",
    rights={roles.WORKER: roles.WRITES, roles.BATCH: roles.READS},
)


OUTAGES = (ClearhouseError, sa.exc.OperationalError, sa.exc.TimeoutError)
"""What a service waits for to end: of the store, the log, or another server."""


class PaymentStore(MigratedDatabase):
    """An open store with its tables up to date. Commits are durable when they return."""


def open_store(url: str | SecretUrl, access: DatabaseAccess = BATCH) -> PaymentStore:
    """The store that a URL names, its tables migrated.

    Args:
        url: `sqlite:///<path>`, or `postgresql://…`.
        access: to a server.

    Raises:
        StoreError: a later version of Clearhouse made its tables (payments_of_later), or they are
            of an earlier one and the user may not migrate them (payments_not_prepared).
        ServerError: the server can't be reached, or refuses.
        SettingsError: the driver for the server is not installed.
    """
    return PaymentStore(url, SCHEMA, access)
