"""Standard output and error that can't show or can't take everything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from clearhouse.cli.streams import OutputError, use_streams

use_streams()
try:
    for _ in range(3):
        print("a → b − c … é ✓", flush=True)
        print("said", file=sys.stderr)
except OutputError as error:
    print(error.message, file=sys.stderr)
    sys.exit(1)
opened = open("of_ours", "w")
print("worked", file=sys.stderr)
sys.exit(3)
"""


def run(
    folder: Path, redirection: str = "", **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """The program with its streams as a shell gives them to it."""
    return subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" {redirection}', sys.executable, PROGRAM],
        cwd=folder, env={**os.environ, **variables}, capture_output=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("utf-8", "a → b − c … é ✓".encode()),
        ("latin-1", "a -> b - c ... é ?".encode("latin-1")),
        ("ascii", b"a -> b - c ... ? ?"),
    ],
)
def test_what_can_not_be_shown_is_replaced(tmp_path: Path, encoding: str, line: bytes) -> None:
    answer = run(tmp_path, PYTHONIOENCODING=encoding)

    assert answer.returncode == 3
    assert answer.stdout.splitlines() == [line] * 3


def test_output_that_can_not_be_written_is_named_once(tmp_path: Path) -> None:
    answer = run(tmp_path, "> /dev/full")

    assert answer.returncode == 1
    (told,) = answer.stderr.decode().splitlines()
    assert told.startswith("Writing to standard output failed (No space left on device)")


@pytest.mark.parametrize("redirection", ["2>&-", ">&-", "2>/dev/full"])
def test_a_stream_that_is_closed_or_of_no_use_stops_no_work(
    tmp_path: Path, redirection: str
) -> None:
    assert run(tmp_path, redirection).returncode == 3
    assert (tmp_path / "of_ours").read_bytes() == b""


def test_a_reader_who_left_stops_no_work(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writing)

    assert done.returncode == 3
    assert done.stderr.splitlines() == ["said"] * 3 + ["worked"]
