"""A server in a process of its own, from its start until it is stopped."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import IO

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
def running(
    what: str,
    arguments: Callable[[int], Sequence[str]],
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Server]:
    """Start `python -m` with arguments that name a port, and wait until it answers there.

    Args:
        what: it is, for messages.
        arguments: by port.
        settings: variables of its environment, beside those of this process.
    """
    host, port = _free_address()
    with started(what, arguments(port), settings) as child:
        server = Server(host, port, child.pid)
        deadline = time.monotonic() + _START_SECONDS
        while not _is_ready(server):
            child.check()
            if time.monotonic() > deadline:
                raise BenchmarkError(f"The {what} is not ready:\n{child.said()}")
            time.sleep(_POLL_SECONDS)
        yield server


class Child:
    """A process that was started here.

    Attributes:
        what: it is, for messages.
        pid: of the process.
    """

    def __init__(self, what: str, process: "subprocess.Popen[bytes]", said: IO[bytes]) -> None:
        self.what = what
        self.pid = process.pid
        self._process = process
        self._said = said

    def said(self) -> str:
        """The end of what it has written to its output."""
        self._said.seek(0)
        return self._said.read().decode(errors="replace")[-_SAID_CHARS:]

    def check(self) -> None:
        """See that it runs.

        Raises:
            BenchmarkError: it has ended.
        """
        if self._process.poll() is not None:
            raise BenchmarkError(f"The {self.what} has ended:\n{self.said()}")


@contextmanager
def started(
    what: str, arguments: Sequence[str], settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Child]:
    """Start `python -m` with arguments, and end it after the block. See `running`."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=said,
            stderr=said,
        )
        try:
            yield Child(what, process, said)
        finally:
            _stop(process)


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
