"""A server in a process of its own, from its start until it is stopped."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import httpx

from benchmarks.jobs import BenchmarkError
from benchmarks.rounds import ROOT

_START_SECONDS = 900.0
_POLL_SECONDS = 0.1
_STOP_SECONDS = 20.0
_SAID_CHARS = 2_000


@dataclass(frozen=True)
class Server:
    """Where a process answers."""

    host: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://{self.host}:{self.port}"


def served(module: str, what: str, *arguments: str) -> AbstractContextManager[Server]:
    """Start `python -m <module> <what> <port> <arguments>` and wait until it is ready."""
    return running(what, lambda port: [module, what, str(port), *arguments])


@contextmanager
def running(what: str, arguments: Callable[[int], Sequence[str]]) -> Iterator[Server]:
    """Start `python -m` with arguments that name a port, and wait until it answers there."""
    with tempfile.TemporaryFile() as said:
        host, port = _free_address()
        child = subprocess.Popen(
            [sys.executable, "-m", *arguments(port)], cwd=ROOT, stdout=said, stderr=said
        )
        server = Server(host, port, child.pid)
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not _is_ready(server):
                if child.poll() is not None or time.monotonic() > deadline:
                    said.seek(0)
                    text = said.read().decode(errors="replace")[-_SAID_CHARS:]
                    raise BenchmarkError(f"The {what} is not ready:\n{text}")
                time.sleep(_POLL_SECONDS)
            yield server
        finally:
            _stop(child)


def _free_address() -> tuple[str, int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    return host, port


def _is_ready(server: Server) -> bool:
    try:
        return httpx.get(f"{server.url}/health/ready").is_success
    except httpx.TransportError:
        return False


def _stop(child: "subprocess.Popen[bytes]") -> None:
    """End it and wait, so that what it wrote is whole and its time is counted."""
    child.terminate()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
