"""The command line as a process of its own, the way people and programs call it; or in this one."""

import contextlib
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
    """The same in this process, over a test's warehouse: quicker, and without how it ends.

    An error that `clearhouse` would tell in a sentence is the answer's `exception`.
    """
    variables = {
        "CLEARHOUSE_HOME": str(warehouse.home),
        "BNPL_API_URL": warehouse.url,
        "BNPL_BASE_DAILY_VOLUME": str(warehouse.base_daily_volume),
        "LOG_LEVEL": "error",
        "COLUMNS": "200",
    }
    logging = structlog.get_config()
    warehouse.home.mkdir(parents=True, exist_ok=True)
    try:
        with contextlib.chdir(warehouse.home):  # where no .env is
            return CliRunner().invoke(build(args[0]), args, env=variables)
    finally:
        structlog.configure(**logging)
