"""A general ledger's service for tests: the real application over real HTTP, at a set time."""

import datetime as dt
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from gl_tiny import TinyLedger

from clearhouse.core.urls import SecretUrl
from clearhouse.gl.service.app import create_app
from clearhouse.gl.service.feed import FeedOptions, MakeGenerator
from clearhouse.gl.service.security import keys_from
from clearhouse.gl.service.service import ServiceOptions

NOW = dt.datetime.fromisoformat("2026-05-12T10:00:00")
KEYS = {
    "reader": "key-of-reader",
    "poster": "key-of-poster",
    "closer": "key-of-closer",
    "admin": "key-of-admin",
}
_KEYS = (
    "key-of-reader:read:USER-901,key-of-poster:read+post:USER-902,"
    "key-of-closer:read+post+close:USER-903,key-of-admin:admin:USER-904"
)
_START_SECONDS = 60


@dataclass
class Time:
    """A clock that is set."""

    now: dt.datetime = NOW

    def __call__(self) -> dt.datetime:
        return self.now


@dataclass
class Running:
    """A service that answers."""

    url: str
    time: Time
    clients: dict[str, httpx.Client] = field(default_factory=dict)

    def __getattr__(self, name: str) -> httpx.Client:
        """A client with the key of reader, poster, closer or admin."""
        if name not in KEYS:
            raise AttributeError(name)
        if name not in self.clients:
            headers = {"X-API-Key": KEYS[name]}
            self.clients[name] = httpx.Client(base_url=self.url, headers=headers, timeout=60)
        return self.clients[name]

    def post(self, journal: dict[str, Any], key: str, by: str = "poster") -> httpx.Response:
        client = getattr(self, by)
        answer: httpx.Response = client.post(
            "/v1/journals", json=journal, headers={"Idempotency-Key": key}
        )
        return answer


def options(
    folder: Path | None = None,
    clock: Time | None = None,
    store: str | SecretUrl = "",
    make: MakeGenerator = TinyLedger,
    redis_url: str | None = None,
    **changed: Any,
) -> ServiceOptions:
    """What a service runs with: a ledger in a folder, or in another store."""
    feed = FeedOptions(**{"days": 40, "interval_seconds": 3600.0, "scale": 0.02, **changed})
    return ServiceOptions(
        database_url=store or f"sqlite:///{folder}/gl.db",
        keys=keys_from(_KEYS),
        feed=feed,
        redis_url=redis_url,
        clock=clock or Time(),
        make_generator=make,
    )


@contextmanager
def serving(wanted: ServiceOptions) -> Iterator[Running]:
    """A service in a thread of this process, once it is ready."""
    config = uvicorn.Config(
        create_app(wanted), port=0, log_level="error", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)  # client and server take turns in one process
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        assert time.monotonic() < deadline, "the service did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    clock = wanted.clock
    assert isinstance(clock, Time)
    running = Running(f"http://127.0.0.1:{port}", clock)
    try:
        while running.reader.get("/health/ready").status_code != 200:
            assert time.monotonic() < deadline, "the service is not ready"
            time.sleep(0.02)
        yield running
    finally:
        for client in running.clients.values():
            client.close()
        server.should_exit = True
        thread.join()
        sys.setswitchinterval(before)


def journal(**changed: Any) -> dict[str, Any]:
    """A journal that is taken."""
    return {
        "posting_date": f"{NOW:%Y-%m-%d}",
        "description": "Insurance of the field office",
        "approved_by": "USER-456",
        "lines": [
            {"account_code": "7300", "debit": "1250.00"},
            {"account_code": "1010", "credit": "1250.00"},
        ],
        **changed,
    }
