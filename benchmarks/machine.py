"""What the figures were measured on, and with which versions."""

import datetime as dt
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.calibration import cores
from benchmarks.rounds import ROOT

_PACKAGES = (
    "clearhouse", "dlt", "dbt-core", "dbt-duckdb", "duckdb", "great-expectations", "numpy",
    "pandas", "pyarrow", "pyiceberg",
)  # fmt: skip


def machine() -> dict[str, object]:
    """The machine, by what matters here."""
    return {
        "system": platform.platform(),
        "cpu": _cpu_model(),
        "cores": cores(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load_average": os.getloadavg()[0],
    }


def versions() -> dict[str, str]:
    """Python, the packages and the commit."""
    return {
        "python": platform.python_version(),
        "commit": _commit(),
        **{name: _version(name) for name in _PACKAGES},
    }


def now() -> str:
    """The moment, to the second, in UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _cpu_model() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """The commit checked out, with a + where files differ from it; empty outside git."""
    asked = ["git", "describe", "--always", "--abbrev=12", "--dirty=+"]
    try:
        answer = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return answer.stdout.strip()
