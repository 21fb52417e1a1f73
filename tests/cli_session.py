"""The command line as a process of its own, the way people and programs call it; or in this one."""

import contextlib
import gc
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

import structlog
from bnpl_home import Warehouse
from click.testing import Result
from typer.testing import CliRunner

# A console that is made while COLUMNS is set has that width for good.
os.environ.pop("COLUMNS", None)
from clearhouse.cli import app as _consoles  # noqa: F401
from clearhouse.cli.commands import build, execute
from clearhouse.core.background import wait_for_imports

CLEARHOUSE = [sys.executable, "-m", "clearhouse"]
Answer = subprocess.CompletedProcess[str]


def in_a_process(folder: Path, *args: str, **variables: str) -> Answer:
    return subprocess.run(
        [*CLEARHOUSE, *args],
        cwd=folder,
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def clearhouse(folder: Path, *args: str, **variables: str) -> Answer:
    """What the process would answer, from this one, which has imported everything already."""
    said, complained = io.StringIO(), io.StringIO()
    code: object = "the command did not end by itself"
    with (
        in_its_place(folder),
        patch.dict(os.environ, environment(variables), clear=True),
        patch.object(sys, "argv", ["clearhouse", *args]),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(complained),
    ):
        try:
            execute()
        except SystemExit as ended:
            code = ended.code or 0
    assert isinstance(code, int), code
    return Answer(args, code, said.getvalue(), complained.getvalue())


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of a command: of the caller's own, none that are settings."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("BNPL_", "CLEARHOUSE_"))}
    return {**clean, "COLUMNS": "200", **variables}


@contextlib.contextmanager
def in_its_place(folder: Path) -> Iterator[None]:
    """In a folder, as if no command had been given in this process before; nor is it seen after."""
    logging = structlog.get_config()
    gc.collect()  # what earlier commands opened would be gone with their processes
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        wait_for_imports()  # a process would not end before
        structlog.configure(**logging)


def complaints(answer: Answer) -> list[str]:
    """What stands on standard error but the lines that tell what is under way."""
    return [line for line in answer.stderr.splitlines() if not line.endswith("…")]


def in_process(warehouse: Warehouse, *args: str) -> Result:
    """A command over a test's warehouse, in this process."""
    variables = {
        "BNPL_API_URL": warehouse.url,
        "BNPL_BASE_DAILY_VOLUME": str(warehouse.base_daily_volume),
    }
    return command(warehouse.home, *args, **variables)


def command(home: Path, *args: object, **variables: str) -> Result:
    """A command over a home in this process: quicker, and without how it ends.

    An error that `clearhouse` would tell in a sentence is the answer's `exception`.
    """
    given = {
        "CLEARHOUSE_HOME": str(home),
        "LOG_LEVEL": "error",
        "COLUMNS": "200",
        **variables,
    }
    home.mkdir(parents=True, exist_ok=True)
    with in_its_place(home):  # where no .env is
        return CliRunner().invoke(build(str(args[0])), list(map(str, args)), env=given)
