"""The command line as a process of its own, the way people and programs call it."""

import os
import subprocess
import sys
from pathlib import Path

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
