"""Rows of bronze come to PostgreSQL's staging file by file, over several sessions."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clearhouse.core.urls import SecretUrl
from clearhouse.engines.postgres.engine import PostgresEngine
from stack.server import Server

SCHEMA = pa.schema([("day", pa.int64()), ("number", pa.int64())])
BRONZE = "bronze.lines"
FILES, ROWS = 9, 100


@pytest.fixture
def engine(server: Server, request: pytest.FixtureRequest) -> Iterator[PostgresEngine]:
    name = request.node.name
    engine = PostgresEngine(SecretUrl.parse(server.database(name), ("postgresql",)), "ENGINE_URL")
    with server.connected(name) as connection:
        for table in ("ops.publication", "marts.quality_metrics"):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.partition('.')[0]}")
            connection.execute(f"CREATE TABLE {table} (number bigint)")
    yield engine
    engine.close()


def files_in(folder: Path) -> list[str]:
    for day in range(FILES):
        numbers = list(range(day * ROWS, (day + 1) * ROWS))
        rows = pa.table({"day": [day] * ROWS, "number": numbers}, SCHEMA)
        pq.write_table(rows, folder / f"{day}.parquet")
    return [str(path) for path in folder.iterdir()]


def numbers(engine: PostgresEngine) -> list[int]:
    sql = f"SELECT number FROM {BRONZE} ORDER BY number"
    return list(engine.query(sql)["number"].to_pylist())


def test_each_row_is_there_once_after_a_load_that_stopped_half_way(
    engine: PostgresEngine, tmp_path: Path
) -> None:
    files = files_in(tmp_path)
    whole = Path(files[4]).read_bytes()
    Path(files[4]).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(pa.ArrowInvalid):
        engine.expose_bronze(BRONZE, files, SCHEMA)
    Path(files[4]).write_bytes(whole)
    engine.expose_bronze(BRONZE, files, SCHEMA)
    assert numbers(engine) == list(range(FILES * ROWS))


def test_what_is_asked_for_is_shown_and_what_was_loaded_stays(
    engine: PostgresEngine, tmp_path: Path
) -> None:
    first, *others = sorted(files_in(tmp_path))
    engine.expose_bronze(BRONZE, [first, *others], SCHEMA)
    engine.expose_bronze(BRONZE, [first], SCHEMA)
    assert numbers(engine) == list(range(ROWS))
    (kept,) = engine.query(f"SELECT count(*) AS rows FROM {BRONZE}_loaded")["rows"].to_pylist()
    assert kept == FILES * ROWS
    engine.expose_bronze(BRONZE, [], SCHEMA)
    assert numbers(engine) == []
