"""The general ledger's service as a process of its own, on a store of some days.

Its clock stands still behind the last day, so that the same days give the same lines whenever they
are asked for. The store is made once for all rounds. The plain way beside it
(`benchmarks.parts.ledger_peer`) is served from the same store by the same server.
"""

import datetime as dt
import shutil
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import uvicorn

from benchmarks.jobs import FIRST_DAY, SEED, BenchmarkError, Job
from benchmarks.parts.served import Server, served

KEY = "key-of-benchmarks"
HEADERS = {"X-API-Key": KEY}
APPROVER = "USER-902"


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


def _running(what: str, store: Path, days: int) -> AbstractContextManager[Server]:
    return served(__name__, what, str(store), str(days))


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
