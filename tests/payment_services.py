"""The services of payments as processes of their own, on a home, for tests that kill them."""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import sqlalchemy as sa

from clearhouse.core.supervisor import Patience, Running, Supervisor
from clearhouse.log.log import Log
from clearhouse.payments.flow import Flow, measure
from clearhouse.payments.log_opening import log_place, open_payment_log
from clearhouse.payments.services import Places, services
from clearhouse.payments.store.database import open_store
from clearhouse.sandbox.server import free_port
from clearhouse.settings import load_settings

SOON_SECONDS = 120.0
_QUICK = Patience(restart_seconds=0.02, restart_most_seconds=0.1)
_LOOKS_EVERY_SECONDS = 0.05
_LINES_KEPT = 40


def until(holds: Callable[[], object], why: Callable[[], str] = str) -> None:
    """Wait until something holds; it has to be soon."""
    end = time.monotonic() + SOON_SECONDS
    while not holds():
        assert time.monotonic() < end, f"it did not come to that: {why()}"
        time.sleep(_LOOKS_EVERY_SECONDS)


@dataclass
class Services:
    """Running services, their log and their store."""

    places: Places
    supervisor: Supervisor
    log: Log
    store: sa.Engine
    said: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES_KEPT))

    @property
    def url(self) -> str:
        return self.places.gateway_url

    def named(self, name: str) -> Running:
        return next(each for each in self.supervisor.running if each.child.name == name)

    def flow(self) -> Flow:
        return measure(self.log, self.store)

    def kill(self, name: str) -> None:
        """Kill a service, at whatever it is; one that is just being started again is waited for."""
        until(lambda: self.named(name).pid)
        os.kill(self.named(name).pid, signal.SIGKILL)

    def until_ready(self) -> None:
        until(lambda: is_ready(self.url), lambda: "\n".join(self.said))

    def until_settled(self) -> None:
        """Wait until everything that was accepted has come to its end."""
        until(lambda: self.flow().is_settled, lambda: "\n".join([str(self.flow()), *self.said]))


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=2).is_success
    except httpx.TransportError:
        return False


@contextmanager
def running_services(home: Path, environment: Mapping[str, str]) -> Iterator[Services]:
    """All services of the sandbox's accounts on a home, started again whenever they die."""
    places = Places(gateway=free_port(), inference=free_port())
    given = {"CLEARHOUSE_HOME": str(home), **environment}
    named = {name.lower(): text for name, text in environment.items()}
    config = load_settings(_env_file=None, clearhouse_home=home, **named)
    said: deque[str] = deque(maxlen=_LINES_KEPT)
    with ExitStack() as stack:
        log = open_payment_log(log_place(config))
        stack.callback(log.close)
        store = open_store(config.payments_database_url)
        supervisor = Supervisor(
            services(places, given, of_sandbox=True),
            lambda name, line: said.append(f"{name}: {line}"),
            _QUICK,
        )
        stack.enter_context(supervisor.keeping_on())
        yield Services(places, supervisor, log, store.engine, said)
