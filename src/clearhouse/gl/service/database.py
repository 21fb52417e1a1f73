"""The service's database. Who writes holds the ledger's row until the commit."""

from pathlib import Path

from clearhouse.core.database_access import BATCH, DatabaseAccess
from clearhouse.core.urls import SecretUrl
from clearhouse.gl.service import tables
from clearhouse.store.migrated import MigratedDatabase, Schema

_SCHEMA = Schema(
    holds="ledger",
    setting="GL_DATABASE_URL",
    version_table=tables.version,
    version="0001",
    migrations=Path(__file__).with_name("migrations"),
    lock=0x676C6C6564676572,
    prepared_by="clearhouse gl serve",
)


class Database(MigratedDatabase):
    """An open store with its tables up to date. Commits are durable when they return."""

    def __init__(self, url: str | SecretUrl, access: DatabaseAccess = BATCH) -> None:
        super().__init__(url, _SCHEMA, access)
