"""The command line as a process of its own, the way people and programs call it; or in this one."""

import contextlib
import gc
import os
import subprocess
import sys
from pathlib import Path

import structlog
from bnpl_home import Warehouse
from click.testing import Result
from typer.testing import CliRunner

from clearhouse.cli.commands import build

CLEARHOUSE = [sys.executable, "-m", "clearhouse"]


def clearhouse(folder: Path, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("BNPL_", "CLEARHOUSE_"))}
    return subprocess.run(
        [*CLEARHOUSE, *args],
        cwd=folder,
        env={**clean, "COLUMNS": "200", **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def complaints(answer: subprocess.CompletedProcess[str]) -> list[str]:
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
    logging = structlog.get_config()
    home.mkdir(parents=True, exist_ok=True)
    gc.collect()  # what earlier commands opened would be gone with their processes
    try:
        with contextlib.chdir(home):  # where no .env is
            return CliRunner().invoke(build(str(args[0])), list(map(str, args)), env=given)
    finally:
        structlog.configure(**logging)
