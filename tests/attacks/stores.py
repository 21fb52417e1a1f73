"""The stores of a home, opened by who has no right to."""

import datetime as dt
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from attacks.homes import Home


def warehouse(home: Home, *statements: str) -> None:
    """Change the engine's file."""
    _execute(home.path / "warehouse" / f"{home.name}.duckdb", statements)


def readers(home: Home, *statements: str) -> None:
    """Change the file that readers open."""
    _execute(home.path / "published.duckdb", statements)


def asked_of_readers(home: Home, sql: str) -> list[tuple[Any, ...]]:
    """What a reader is answered."""
    with duckdb.connect(str(home.path / "published.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def _execute(path: Path, statements: Sequence[str]) -> None:
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def database(home: Home, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Change the operational store, in which the books and the quarantine are, or ask it.

    Raises:
        AssertionError: a change changed nothing.
    """
    with closing(sqlite3.connect(home.path / "clearhouse.db", isolation_level=None)) as connection:
        answer = connection.execute(statement, values)
        found = answer.fetchall()
        assert found or answer.rowcount, statement
        return found


def rewrite_file(path: Path, sql: str) -> None:
    """Replace the rows of a Parquet file by a query over them, called `rows`."""
    fresh = path.with_suffix(".new")
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (WITH rows AS (
                SELECT * FROM read_parquet('{path}', hive_partitioning = false)) {sql})
                TO '{fresh}' (FORMAT parquet)"""
        )
    fresh.replace(path)


def rewrite(home: Home, store: str, day: dt.date, sql: str) -> None:
    """Replace the rows of a day in bronze, silver or gold by a query over them."""
    if store == "bronze":
        rewrite_file(home.at.bronze[day], sql)
    elif store == "gold":
        rewrite_file(home.at.gold[day], sql)
    else:
        rewrite_table(home, home.at.declared.silver, sql, f"_book_date = DATE '{day}'")


def rewrite_table(home: Home, table: str, sql: str, where: str = "true") -> None:
    """The same in a table of the engine."""
    warehouse(
        home,
        f"""CREATE TEMP TABLE changed AS
            WITH rows AS (SELECT * FROM {table} WHERE {where}) {sql}""",
        f"DELETE FROM {table} WHERE {where}",
        f"INSERT INTO {table} SELECT * FROM changed",
    )


def cut(path: Path) -> None:
    """Let a file end in the middle."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
