"""A row has one text on every engine, and comes through COPY as it is."""

import datetime as dt
import math
import random
import struct
from collections.abc import Iterator
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.core.columnar import DuckDBDialect, query
from clearhouse.core.money import exponents
from clearhouse.engines.postgres.arrow import fetched, insert, sql_type
from clearhouse.engines.postgres.dialect import FUNCTIONS, PostgresDialect
from stack.server import Server

SCHEMA = pa.schema(
    [
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
values = {
    "text": st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
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
rows = st.fixed_dictionaries({name: st.none() | value for name, value in values.items()})
ON_POSTGRES, EMBEDDED = PostgresDialect(), DuckDBDialect()


@pytest.fixture(scope="module")
def connection(server: Server) -> Iterator[psycopg.Connection[Any]]:
    server.database("dialect")
    with server.connected("dialect", options="-c TimeZone=UTC") as connection:
        connection.execute("CREATE SCHEMA ops")
        for function in FUNCTIONS:
            connection.execute(function)
        columns = ", ".join(f'"{field.name}" {sql_type(field.type)}' for field in SCHEMA)
        connection.execute(f"CREATE TABLE rows_in ({columns})")
        yield connection


@settings(max_examples=150)
@given(some=st.lists(rows, min_size=1, max_size=20))
def test_rows_come_through_and_have_one_text(
    connection: psycopg.Connection[Any], some: list[dict[str, Any]]
) -> None:
    table = pa.Table.from_pylist(some, SCHEMA)
    kinds = {f'"{field.name}"': field.type for field in SCHEMA}
    with connection.transaction(force_rollback=True):
        # Into a new file: where a vacuum made room in the old one, rows lie in another order.
        connection.execute("TRUNCATE rows_in")
        insert(connection.cursor(), "rows_in", [table])

        back = fetched(connection, "SELECT * FROM rows_in")

        assert back.schema == table.schema
        assert _comparable(back) == _comparable(table)
        for dialect_sql in (
            lambda d: d.row_text(kinds),
            lambda d: d.sha256(d.row_text(kinds)),
        ):
            theirs = fetched(connection, f"SELECT {dialect_sql(ON_POSTGRES)} AS it FROM rows_in")
            ours = query(f"SELECT {dialect_sql(EMBEDDED)} AS it FROM t", t=table)
            assert theirs["it"].to_pylist() == ours["it"].to_pylist()


def test_doubles_have_one_text(connection: psycopg.Connection[Any]) -> None:
    drawn = random.Random(1)
    doubles = [float(f"{sign}1e{n}") for n in range(-323, 309, 7) for sign in ("", "-")]
    doubles += [struct.unpack("d", drawn.randbytes(8))[0] for _ in range(2_000)]
    doubles += [float(drawn.getrandbits(drawn.randrange(1, 90))) for _ in range(2_000)]
    doubles += [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308, 1e23]
    table = pa.table({"i": range(len(doubles)), "double": doubles})
    connection.execute("CREATE TABLE doubles (i bigint, double double precision)")
    insert(connection.cursor(), "doubles", [table])
    kinds = {"double": pa.float64()}

    theirs = fetched(
        connection, f"SELECT {ON_POSTGRES.row_text(kinds)} AS it FROM doubles ORDER BY i"
    )

    ours = query(f"SELECT {EMBEDDED.row_text(kinds)} AS it FROM t ORDER BY i", t=table)
    assert theirs["it"].to_pylist() == ours["it"].to_pylist()


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
