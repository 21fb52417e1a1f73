"""The close pack and the exports are the same files from PostgreSQL as from the embedded engine."""

import io
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from gl_ledger import small_journal, write_marts

from clearhouse.engines.engine import Engine, Insert
from clearhouse.engines.postgres.arrow import sql_type
from clearhouse.engines.postgres.readers import READER
from clearhouse.gl.reports.export import write_csv, write_fec
from clearhouse.gl.reports.formats import Format, make_files
from clearhouse.pipeline.opening import open_engine
from clearhouse.settings import load_settings
from clearhouse.store.database import open_database
from stack.server import Server


@pytest.fixture(scope="module")
def engines(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Engine]]:
    """The embedded engine, and one on the server with the same marts as tables."""
    home = tmp_path_factory.mktemp("home")
    marts = home / "published.duckdb"
    write_marts(marts, small_journal())
    url = server.database("close_pack")
    embedded = open_engine(load_settings(_env_file=None, clearhouse_home=home), "gl")
    settings = load_settings(_env_file=None, clearhouse_home=home, engine_url=url)
    on_server = open_engine(settings, "gl")
    for name, rows in _tables(marts).items():
        columns = ", ".join(f'"{field.name}" {sql_type(field.type)}' for field in rows.schema)
        on_server.execute(f"CREATE TABLE {name} ({columns})", Insert(name, rows))
        on_server.execute(f"GRANT SELECT ON {name} TO {READER}")
    yield [embedded, on_server]
    for engine in (embedded, on_server):
        engine.close()


def _tables(marts: Path) -> dict[str, pa.Table]:
    with duckdb.connect(str(marts), read_only=True) as connection:
        listed = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'marts'"
        names = [f"marts.{name}" for (name,) in connection.execute(listed).fetchall()]
        return {name: connection.table(name).to_arrow_table() for name in names}


def test_both_engines_give_the_same_files(engines: list[Engine], tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'books.db'}")
    packs = [make_files(engine.query_readers, database, "2024-03", [*Format]) for engine in engines]
    assert packs[0] == packs[1]


def test_both_engines_give_the_same_exports(engines: list[Engine]) -> None:
    exports = []
    for engine in engines:
        files = io.BytesIO(), io.BytesIO()
        write_fec(engine.query_readers, 2024, files[0])
        write_csv(engine.query_readers, 2024, files[1])
        exports.append([file.getvalue() for file in files])
    assert exports[0] == exports[1]
