"""Servers of the benchmarks' own, by the native stack: in a new folder, and on free ports."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.jobs import BenchmarkError
from benchmarks.rounds import ROOT
from deploy.native.servers import SERVERS


@contextmanager
def own_stack(servers: str) -> Iterator[Mapping[str, str]]:
    """Start servers, and stop them after the block, with all that they kept.

    Args:
        servers: their names, separated by commas.

    Yields:
        What the stack says to export, secrets included.

    Raises:
        BenchmarkError: they can't be started, or not be stopped.
    """
    # Not beside the project: root's folders may be entered by nobody else, and servers run as
    # another user.
    with tempfile.TemporaryDirectory(prefix="clearhouse-bench-") as folder:
        Path(folder).chmod(0o755)
        ports = {f"STACK_{server.name.upper()}_PORT": _free_port() for server in SERVERS}
        own = {"STACK_HOME": folder, "STACK_SERVERS": servers}
        environment = {**os.environ, **ports, **own}
        try:
            _run("up", environment)
            lines = (Path(folder) / "env").read_text().splitlines()
            yield dict(line.split("=", 1) for line in lines)
        finally:
            _run("down", environment)


def _run(command: str, environment: Mapping[str, str]) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "deploy.native", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise BenchmarkError(f"The stack can't be started or stopped: {answer.stderr[-500:]}")


def _free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])
