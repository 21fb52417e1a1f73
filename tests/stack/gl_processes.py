"""Processes of the general ledger's service on one store, which tests kill and start again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from gl_service import KEYS

from stack.commands import free_port

_RUNNER = Path(__file__).with_name("gl_runner.py")
_START_SECONDS = 90


class Process:
    """One worker at a port of its own.

    Args:
        store: of all workers.
        redis: of all workers.
        ahead: seconds by which its clock, which goes on, differs; None for one that stands.
    """

    def __init__(self, store: str, redis: str | None = None, ahead: float | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ahead = ahead
        self._arguments = [store, *(["--redis", redis] if redis else [])]
        self.start()

    def start(self) -> None:
        paths = [str(_RUNNER.parents[1]), os.environ.get("PYTHONPATH", "")]
        clock = [] if self.ahead is None else ["--ahead", str(self.ahead)]
        self._child = subprocess.Popen(
            [sys.executable, str(_RUNNER), self.port, *self._arguments, *clock],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )

    def wait(self) -> None:
        """Until it is ready."""
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            assert self._child.poll() is None, "the service has ended"
            assert time.monotonic() < deadline, "the service is not ready"
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._child.send_signal(signal.SIGKILL)
        self._child.wait()

    def stop(self) -> int:
        """SIGTERM; the code it ends with."""
        self._child.terminate()
        return self._child.wait(30)

    def client(self, who: str = "poster") -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"X-API-Key": KEYS[who]}, timeout=30)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def processes(
    store: str, count: int = 1, redis: str | None = None, ahead: float | None = None
) -> Iterator[list[Process]]:
    """So many workers, ready."""
    found = [Process(store, redis, ahead) for _ in range(count)]
    try:
        for each in found:
            each.wait()
        yield found
    finally:
        for each in found:
            each.kill()
