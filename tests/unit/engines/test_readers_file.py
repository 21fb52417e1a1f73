"""The file that readers open, while others have it open too."""

import subprocess
import sys
from pathlib import Path

import duckdb

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

        assert readers.number("bnpl") == 7
    finally:
        shell.communicate()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
