"""The file that readers open, while others have it open too."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clearhouse.engines.readers import ReadersFile

_OPEN_TO_WRITE = """
import duckdb, sys
with duckdb.connect(sys.argv[1]):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_shell_that_has_it_open_to_write_does_not_stop_a_run(tmp_path: Path) -> None:
    path = tmp_path / "published.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA ops; CREATE TABLE ops.served AS SELECT 'bnpl' AS domain")
        connection.execute("ALTER TABLE ops.served ADD COLUMN publication BIGINT DEFAULT 7")
    readers = ReadersFile(path, tmp_path / "published", tmp_path / "gold", storage="v1.5.0")
    shell = subprocess.Popen(
        [sys.executable, "-c", _OPEN_TO_WRITE, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert shell.stdin is not None
    assert shell.stdout is not None
    try:
        assert shell.stdout.readline() == b"open\n"

        assert readers.served("bnpl") == (7, "")
    finally:
        shell.communicate()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_each_query_reads_its_files_as_they_are(tmp_path: Path) -> None:
    """Also when a file has the size and the time that it had when it was read before."""
    file = tmp_path / "rows.parquet"
    _write(file, 1)
    readers = _readers(tmp_path, f"CREATE VIEW marts.rows AS FROM read_parquet('{file}')")
    size = file.stat().st_size
    assert _values(readers) == [1]

    _write(file, 2)
    assert file.stat().st_size == size
    assert _values(readers) == [2]


def test_what_is_not_there_has_no_answer_and_what_is_broken_is_an_error(tmp_path: Path) -> None:
    readers = _readers(
        tmp_path,
        "CREATE TABLE marts.gone AS SELECT 1 AS value",
        "CREATE VIEW marts.rows AS FROM marts.gone",
        "DROP TABLE marts.gone",
    )

    assert readers.query_of("marts.gone", "SELECT value FROM marts.gone") is None
    with pytest.raises(duckdb.CatalogException, match="gone"):
        readers.query_of("marts.rows", "SELECT value FROM marts.rows")


def test_threads_that_read_different_files_get_the_answers_of_their_own(tmp_path: Path) -> None:
    made = []
    for value in range(4):
        folder = tmp_path / str(value)
        folder.mkdir()
        made.append(_readers(folder, f"CREATE TABLE marts.rows AS SELECT {value} AS value"))

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(_values, made * 10))
    assert answers == [[value] for value in range(4)] * 10


def _readers(folder: Path, *statements: str) -> ReadersFile:
    """A file that was made by some statements."""
    path = folder / "published.duckdb"
    with duckdb.connect(str(path)) as connection:
        for statement in ("CREATE SCHEMA marts", *statements):
            connection.execute(statement)
    return ReadersFile(path, folder / "published", folder / "gold", storage="v1.5.0")


def _write(file: Path, value: int) -> None:
    pq.write_table(pa.table({"value": [value]}), file, use_dictionary=False)
    os.utime(file, ns=(1, 1))


def _values(readers: ReadersFile) -> list[int]:
    answer = readers.query_of("marts.rows", "SELECT value FROM marts.rows")
    assert answer is not None
    return [int(value) for value in answer["value"].to_pylist()]
