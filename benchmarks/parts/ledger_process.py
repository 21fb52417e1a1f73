"""The general ledger's service as a process of its own, on a store of some days.

Its clock stands still behind the last day, so that the same days give the same lines whenever they
are asked for. The store is made once for all rounds. The plain way beside it
(`benchmarks.parts.ledger_peer`) is served from the same store by the same server.
"""

import datetime as dt
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from benchmarks.jobs import FIRST_DAY, SEED, BenchmarkError, Job
from benchmarks.rounds import ROOT

KEY = "key-of-benchmarks"
HEADERS = {"X-API-Key": KEY}
APPROVER = "USER-902"
_START_SECONDS = 900.0
_POLL_SECONDS = 0.1
_STOP_SECONDS = 20.0
_SAID_CHARS = 2_000


@dataclass(frozen=True)
class Server:
    """Where a process answers."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://{self.host}:{self.port}"


def service(job: Job, stack: ExitStack, *, writes: bool = False) -> Server:
    """The service on the store of the job's days, ready; on a copy of its own where it writes."""
    store = store_of(job)
    if writes:
        store = Path(shutil.copy(store, job.home / "gl.db"))
    return stack.enter_context(_running("service", store, job.days))


def peer(job: Job, stack: ExitStack) -> Server:
    """The plain way on the same store, ready."""
    return stack.enter_context(_running("peer", store_of(job), job.days))


def now(days: int) -> dt.datetime:
    """What the clock of the service shows: the first hour behind so many days."""
    return dt.datetime.combine(FIRST_DAY + dt.timedelta(days=days), dt.time(1))


def store_of(job: Job) -> Path:
    """The ledger of the job's days, which the first who asks has the service make."""
    store = job.inputs / f"ledger-{job.days}" / "gl.db"
    if not store.exists():
        making = store.with_name("being-made.db")
        store.parent.mkdir(parents=True, exist_ok=True)
        making.unlink(missing_ok=True)
        with _running("service", making, job.days):
            pass  # it answers when the history is whole
        if making.with_name(f"{making.name}-wal").exists():
            raise BenchmarkError("The service left a part of its store in a journal.")
        making.rename(store)
    return store


@contextmanager
def _running(what: str, store: Path, days: int) -> Iterator[Server]:
    server = free_server()
    command = ["-m", __name__, what, str(server.port), str(store), str(days)]
    with running(command, server, what):
        yield server


@contextmanager
def running(arguments: Sequence[str], server: Server, what: str) -> Iterator[Server]:
    """A Python process that answers at an address when it is ready, for as long as the block."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=said, stderr=said)
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


def free_server() -> Server:
    """An address at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    return Server(host, port)


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


def main(arguments: Sequence[str]) -> None:
    """Serve until ended: `service` or `peer`, port, file of the store, days."""
    what, port, store, days = arguments
    app = _service_app(store, int(days)) if what == "service" else _peer_app(store)
    uvicorn.run(app, port=int(port), log_level="warning", access_log=False)


def _service_app(store: str, days: int) -> object:
    """As `clearhouse gl serve` runs it, but for the clock, the limit of requests and the feed."""
    from clearhouse.gl.service.app import create_app
    from clearhouse.gl.service.feed import FeedOptions
    from clearhouse.gl.service.run import _SECONDS_BETWEEN_THREADS
    from clearhouse.gl.service.security import keys_from
    from clearhouse.gl.service.service import ServiceOptions

    sys.setswitchinterval(_SECONDS_BETWEEN_THREADS)
    options = ServiceOptions(
        database_url=f"sqlite:///{store}",
        keys=keys_from(f"{KEY}:admin"),
        feed=FeedOptions(days=days, interval_seconds=86_400.0, seed=SEED),
        requests_per_minute=0,
        clock=lambda: now(days),
    )
    return create_app(options)


def _peer_app(store: str) -> object:
    from benchmarks.parts.ledger_peer import create_app

    return create_app(store)


if __name__ == "__main__":
    main(sys.argv[1:])
