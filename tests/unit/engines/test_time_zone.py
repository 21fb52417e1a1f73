"""Moments are in UTC wherever the machine is."""

import os
import subprocess
import sys

PROGRAM = """
import duckdb, pathlib, sys
from clearhouse.core.columnar import query
from clearhouse.engines.duckdb import DuckDBEngine

folder = pathlib.Path(sys.argv[1])
engine = DuckDBEngine(folder / "w.duckdb", folder / "gold", folder / "readers.duckdb")
sql = "SELECT CAST(TIMESTAMPTZ '2024-03-09 23:30:00+00:00' AS VARCHAR) AS moment"
print(engine.query(sql)["moment"][0], query(sql)["moment"][0])
"""


def test_the_machine_is_elsewhere(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env={**os.environ, "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == ["2024-03-09", "23:30:00+00"] * 2
