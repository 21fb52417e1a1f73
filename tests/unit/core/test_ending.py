"""A command leaves at once, and leaves nothing undone: threads, stores, output, exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_session import CLEARHOUSE, environment

PROGRAM = """
import atexit, sys, threading, time
from clearhouse.core.ending import QuickEnd

class Kept:
    def __del__(self):
        print("cleared up")

end = QuickEnd()
atexit.register(print, "registered later")
kept = Kept()

from clearhouse.store.sqlite import open_sqlite
store = open_sqlite("sqlite:///books.db")
checked_out = store.connect()
checked_out.exec_driver_sql("CREATE TABLE entry (id)")
checked_out.commit()
checked_out.close()
store.itself = store  # in a cycle, as stores are: it does not go by its count of references

def work():
    time.sleep(0.2)
    print("worked")

threading.Thread(target=work).start()
try:
    {ends}
except BaseException as ended:
    end.note(ended)
    raise
"""


def run(folder: Path, ends: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(ends=ends)
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder, env=environment({}), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("ends", "code"), [("sys.exit(4)", 4), ("sys.exit()", 0)])
def test_what_waits_for_the_end_is_done_and_nothing_else(
    tmp_path: Path, ends: str, code: int
) -> None:
    ended = run(tmp_path, ends)

    assert (ended.returncode, ended.stderr) == (code, "")
    assert ended.stdout.splitlines() == ["worked", "registered later"]
    assert [path.name for path in tmp_path.iterdir()] == ["books.db"]  # with no log beside it


@pytest.mark.parametrize(
    ("ends", "said"), [("1 / 0", "ZeroDivisionError"), ("sys.exit('why')", "why")]
)
def test_what_python_has_to_say_it_says(tmp_path: Path, ends: str, said: str) -> None:
    ended = run(tmp_path, ends)

    assert ended.returncode == 1
    assert said in ended.stderr
    assert ended.stdout.splitlines() == ["worked", "registered later", "cleared up"]


def test_a_command_leaves_with_its_stores_closed_and_its_code(tmp_path: Path) -> None:
    home = {"CLEARHOUSE_HOME": "home"}
    made = command(tmp_path, "publications", "bnpl", "--json", **home)
    refused = command(tmp_path, "rollback", "bnpl", "--to", "7", "--reason", "none", **home)

    assert (made.returncode, said(made.stderr), made.stdout) == (0, [], "[]\n")
    assert (refused.returncode, len(said(refused.stderr)), refused.stdout) == (2, 1, "")
    assert (tmp_path / "home" / "clearhouse.db").exists()
    assert not [*tmp_path.rglob("*-wal"), *tmp_path.rglob("*.wal")]


def test_a_reader_who_left_is_no_trouble_at_the_end(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*CLEARHOUSE, "--help"],
        cwd=tmp_path, env=environment({}),
        stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip
    os.close(writing)

    assert (done.returncode, said(done.stderr)) == (0, [])


def said(text: str) -> list[str]:
    """The lines, without those by which a slow machine is seen to be at work."""
    return [line for line in text.splitlines() if not line.endswith("…")]


def command(folder: Path, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLEARHOUSE, *args],
        cwd=folder, env=environment(variables),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
