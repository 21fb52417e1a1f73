"""Ctrl-C ends a command with 130 and a sentence, whatever a library makes of it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import pytest
from cli_session import CLEARHOUSE

PROGRAM = """
import asyncio, os, signal, time
from clearhouse.cli.interrupt import interrupt

def press():
    os.kill(os.getpid(), signal.SIGINT)

{before}
interrupt.watch()
try:
{body}
except BaseException:
    interrupt.leave_if_asked()
    raise
print("went on")
"""

BY_A_LIBRARY = """
try:
    press()
except KeyboardInterrupt:
    raise RuntimeError("Query interrupted") from None
"""
IN_AN_EVENT_LOOP = """
async def wait():
    press()
    await asyncio.sleep(3_600)
asyncio.run(wait())
"""
TWICE = """
try:
    press()
finally:
    press()
    time.sleep(3_600)
"""


@pytest.fixture(autouse=True)
def not_ignored() -> Iterator[None]:
    """A job in a script's background inherits that Ctrl-C is ignored, and hands it on."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def run(body: str, before: str = "") -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(before=before, body=indent(body.strip(), "    "))
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("body", ["press()", BY_A_LIBRARY, IN_AN_EVENT_LOOP, TWICE])
def test_it_ends_with_130_and_one_sentence(body: str) -> None:
    ended = run(body)

    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr.startswith("Stopped. ")
    assert len(ended.stderr.splitlines()) == 1


def test_an_error_of_its_own_stays_what_it_is() -> None:
    ended = run("raise RuntimeError('of its own')")

    assert ended.returncode == 1
    assert "of its own" in ended.stderr


def test_where_it_is_ignored_it_stays_ignored() -> None:
    ended = run("press()", before="signal.signal(signal.SIGINT, signal.SIG_IGN)")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "went on\n", "")


def interrupted(folder: Path, *command: str) -> tuple[int, str]:
    """Exit code and standard error of a command that is interrupted after its first line."""
    running = subprocess.Popen(
        [*CLEARHOUSE, *command],
        cwd=folder,
        env={"CLEARHOUSE_HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    assert "sandbox" in running.stdout.readline()
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    return running.returncode, said


def test_a_command_is_stopped_while_it_runs(tmp_path: Path) -> None:
    code, said = interrupted(tmp_path, "demo", "--days", "3")

    assert code == 130
    assert said.splitlines()[-1].startswith("Stopped. ")
    assert "Traceback" not in said


@pytest.mark.parametrize("sources", [(), ("retailer_1", "retailer_2")])
def test_a_server_is_ended_by_it(tmp_path: Path, sources: tuple[str, ...]) -> None:
    code, said = interrupted(tmp_path, "sandbox", "serve", *sources, "--port", "0")

    assert code == 0
    assert "Stopped" not in said
    assert "Traceback" not in said
