"""The SQL for Athena on DuckDB: its views and questions, translated, over what is exported."""

import datetime as dt
from collections.abc import Sequence

import duckdb
from programs import REPOSITORY
from sqlglot import transpile

from clearhouse.pipeline.bronze import bronze_rows
from clearhouse.pipeline.context import Run

FOLDER = REPOSITORY / "deploy" / "athena"
VIEWS = sorted(FOLDER.glob("0[4-9]_*.sql"))
QUESTIONS = sorted((FOLDER / "questions").glob("*.sql"))


def translated(sql: str) -> str:
    """A statement of Athena in DuckDB's dialect."""
    (statement,) = transpile(sql, read="athena", write="duckdb")
    return statement


def views_over(run: Run, days: Sequence[dt.date]) -> duckdb.DuckDBPyConnection:
    """The views over the rows of bronze, which an export has, with the partitions of its path."""
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA clearhouse_retail")
    connection.register("exported", bronze_rows(run, run.datasets[0], days))
    connection.execute(
        """CREATE TABLE clearhouse_retail.sales AS SELECT *, year(_book_date) AS year,
        month(_book_date) AS month, day(_book_date) AS day FROM exported"""
    )
    for view in VIEWS:
        connection.execute(translated(view.read_text()))
    return connection
