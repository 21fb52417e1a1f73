"""Columnar work in memory: SQL over Arrow tables, by DuckDB."""

import threading
from typing import Any

import duckdb
import pyarrow as pa

_local = threading.local()


def query(sql: str, parameters: list[Any] | None = None, **tables: pa.Table) -> pa.Table:
    """The answer of a DuckDB query over the Arrow tables given by name.

    Row order of a plain projection is the order of its table (DuckDB's default). Each thread has a
    connection of its own, so that threads don't wait for each other.
    """
    connection = getattr(_local, "connection", None)
    if connection is None:
        connection = _local.connection = duckdb.connect(":memory:")
        connection.execute("SET enable_progress_bar = false")
    for name, table in tables.items():
        connection.register(name, table)
    try:
        return connection.sql(sql, params=parameters or []).to_arrow_table()
    finally:
        for name in tables:
            connection.unregister(name)
