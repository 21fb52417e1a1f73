"""A row has one digest on every engine, and comes through COPY as it is."""

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.books.digests import digests_of
from clearhouse.core.columnar import DuckDBDialect, query
from clearhouse.core.money import exponents
from clearhouse.engines.postgres.arrow import fetched, insert, sql_type
from clearhouse.engines.postgres.dialect import PostgresDialect
from stack.server import Server

DAY = dt.date(2024, 3, 9)
SCHEMA = pa.schema(
    [
        ("_book_date", pa.date32()),
        ("_record_id", pa.string()),
        ("text", pa.string()),
        ("int", pa.int32()),
        ("bigint", pa.int64()),
        ("double", pa.float64()),
        ("flag", pa.bool_()),
        ("moment", pa.timestamp("us")),
        ("instant", pa.timestamp("us", "UTC")),
        ("day", pa.date32()),
        ("money", pa.decimal128(15, 2)),
        ("wide", pa.decimal128(30, 4)),
    ]
)
moments = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31))  # noqa: DTZ001
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
values = {
    "_record_id": texts,
    "text": texts,
    "int": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats() | st.integers(-(2**70), 2**70).map(float) | st.floats(1e-9, 1e-3),
    "flag": st.booleans(),
    "moment": moments,
    "instant": moments.map(lambda moment: moment.replace(tzinfo=dt.UTC)),
    "day": st.dates(),
    "money": st.decimals(-(10**12), 10**12, places=2),
    "wide": st.decimals(-(10**20), 10**20, places=4),
}
rows = st.fixed_dictionaries(
    {"_book_date": st.just(DAY)} | {name: st.none() | value for name, value in values.items()}
)
ON_POSTGRES, EMBEDDED = PostgresDialect(), DuckDBDialect()


@pytest.fixture(scope="module")
def connection(server: Server) -> Iterator[psycopg.Connection[Any]]:
    server.database("dialect")
    with server.connected("dialect", options="-c TimeZone=UTC") as connection:
        columns = ", ".join(f'"{field.name}" {sql_type(field.type)}' for field in SCHEMA)
        connection.execute(f"CREATE TABLE rows_in ({columns})")
        yield connection


@settings(max_examples=150)
@given(some=st.lists(rows, min_size=1, max_size=20))
def test_rows_come_through_and_have_one_digest(
    connection: psycopg.Connection[Any], some: list[dict[str, Any]]
) -> None:
    table = pa.Table.from_pylist(some, SCHEMA)
    with connection.transaction(force_rollback=True):
        # Into a new file: where a vacuum made room in the old one, rows lie in another order.
        connection.execute("TRUNCATE rows_in")
        insert(connection.cursor(), "rows_in", [table])

        back = fetched(connection, "SELECT * FROM rows_in")

        assert back.schema == table.schema
        assert _comparable(back) == _comparable(table)
        assert digests_of(back, [DAY]) == digests_of(table, [DAY])


def test_an_answer_that_begins_with_a_byte_order_mark_keeps_it(
    connection: psycopg.Connection[Any],
) -> None:
    asked = [("\ufeff", "\ufeffa"), ("\ufeff\ufeffb", "c")]
    sql = " UNION ALL ".join(f"SELECT '{a}' AS a, '{b}' AS b" for a, b in asked)
    assert [(r["a"], r["b"]) for r in fetched(connection, sql).to_pylist()] == asked


@settings(max_examples=50)
@given(some=st.lists(rows, min_size=1, max_size=3), name=st.sampled_from([*values]))
def test_a_rows_hash_changes_with_its_values(
    connection: psycopg.Connection[Any], some: list[dict[str, Any]], name: str
) -> None:
    table = pa.Table.from_pylist(some, SCHEMA)
    with connection.transaction(force_rollback=True):
        connection.execute("TRUNCATE rows_in")
        insert(connection.cursor(), "rows_in", [table])
        hashes = f"SELECT {ON_POSTGRES.row_hash('r')} AS hash FROM rows_in r ORDER BY 1"

        before = fetched(connection, hashes)

        assert fetched(connection, hashes) == before
        nothing = table.filter(pc.is_valid(table[name])).num_rows == 0
        connection.execute(f'UPDATE rows_in SET "{name}" = NULL')
        assert (fetched(connection, hashes) == before) == nothing


@settings(max_examples=50)
@given(
    some=st.lists(
        st.tuples(
            st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
            st.decimals(-(10**12), 10**12, places=4),
            st.sampled_from(sorted(exponents())),
        ),
        min_size=1,
    )
)
def test_minor_units_and_hashes_are_the_same(
    connection: psycopg.Connection[Any], some: list[tuple[str, Any, str]]
) -> None:
    schema = pa.schema(
        [("_record_id", pa.string()), ("amount", pa.decimal128(17, 4)), ("currency", pa.string())]
    )
    table = pa.Table.from_pylist(
        [dict(zip(schema.names, row, strict=True)) for row in some], schema
    )
    answers = []
    with connection.transaction(force_rollback=True):
        columns = ", ".join(f"{field.name} {sql_type(field.type)}" for field in schema)
        connection.execute(f"CREATE TABLE spine ({columns})")
        insert(connection.cursor(), "spine", [table])
        for dialect, ask in (
            (ON_POSTGRES, lambda sql: fetched(connection, sql)),
            (EMBEDDED, lambda sql: query(sql, spine=table)),
        ):
            minor = dialect.minor_units("amount", "currency")
            answers.append(
                ask(
                    f"""SELECT CAST({dialect.hash_sum()} AS VARCHAR) AS hash,
                        CAST(sum(amount_minor) AS VARCHAR) AS minor
                    FROM (SELECT *, {minor} AS amount_minor FROM spine) AS minors"""
                ).to_pylist()
            )
    assert answers[0] == answers[1]


def _comparable(table: pa.Table) -> list[dict[str, Any]]:
    """Rows in which a NaN is equal to a NaN."""
    return [
        {k: "nan" if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
        for row in table.to_pylist()
    ]
