"""The services of payments as processes of their own, for tests that kill them: on a home, or on
servers."""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

import httpx
import sqlalchemy as sa

from clearhouse.core.supervisor import Child, Patience, Running, Supervisor
from clearhouse.log.log import Log
from clearhouse.payments.flow import Flow, measure
from clearhouse.payments.opening import opened
from clearhouse.payments.services import Places, services
from clearhouse.sandbox.server import free_port
from clearhouse.settings import Settings, load_settings

SOON_SECONDS = 120.0
QUICK = Patience(restart_seconds=0.02, restart_most_seconds=0.1)
_LOOKS_EVERY_SECONDS = 0.05
_LINES_KEPT, _WIDTH = 40, 200


def until(
    holds: Callable[[], object], why: Callable[[], str] = str, soon: float = SOON_SECONDS
) -> None:
    """Wait until something holds; it has to be soon."""
    end = time.monotonic() + soon
    while not holds():
        assert time.monotonic() < end, f"it did not come to that: {why()}"
        time.sleep(_LOOKS_EVERY_SECONDS)


@dataclass
class Services:
    """Running services, their log and their store.

    Attributes:
        soon: seconds in which they have to come to what is waited for.
        killed: the ids of the processes that were killed.
    """

    places: Places
    supervisor: Supervisor
    log: Log
    store: sa.Engine
    has_workflows: bool = False
    soon: float = SOON_SECONDS
    said: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES_KEPT))
    killed: set[int] = field(default_factory=set)

    @property
    def url(self) -> str:
        return self.places.gateway_url

    @property
    def restarts(self) -> int:
        """How often services were started again."""
        return sum(each.restarts for each in self.supervisor.running)

    def named(self, name: str) -> Running:
        return next(each for each in self.supervisor.running if each.child.name == name)

    def flow(self) -> Flow:
        return measure(self.log, self.store, has_workflows=self.has_workflows)

    def pid(self, name: str) -> int:
        """Of a service; one that is just being started again is waited for."""
        until(lambda: self.named(name).pid, lambda: "\n".join(self.said), self.soon)
        return self.named(name).pid or self.pid(name)

    def kill(self, name: str) -> None:
        """Kill a service, at whatever it is. No process is killed twice: its successor is."""
        until(lambda: self.pid(name) not in self.killed, lambda: "\n".join(self.said), self.soon)
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        self.killed.add(pid)

    def until_ready(self) -> None:
        until(lambda: is_ready(self.url), lambda: "\n".join(self.said), self.soon)

    def until_settled(self) -> None:
        """Wait until everything that was accepted has come to its end."""
        said = lambda: "\n".join([str(self.flow()), *self.said])  # noqa: E731
        until(lambda: self.flow().is_settled, said, self.soon)


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=2).is_success
    except httpx.TransportError:
        return False


def settings_of(environment: Mapping[str, str]) -> Settings:
    """What services with these variables read."""
    known = {name: environment.get(name.upper()) for name in Settings.model_fields}
    return load_settings(_env_file=None, **{k: v for k, v in known.items() if v is not None})


@contextmanager
def running_services(
    environment: Mapping[str, str],
    patience: Patience = QUICK,
    soon: float = SOON_SECONDS,
    normalizers: int = 1,
) -> Iterator[Services]:
    """All services of the sandbox's accounts, started again whenever they die.

    Args:
        environment: their settings.
        patience: of their supervisor.
        soon: see `Services`.
        normalizers: how many there are; the second is named `normalizer 2`.
    """
    places = Places(gateway=free_port(), inference=free_port())
    settings = settings_of(environment)
    children = services(
        places, environment, of_sandbox=True, has_starter=settings.has_workflow_server
    )
    said: deque[str] = deque(maxlen=_LINES_KEPT)
    with ExitStack() as stack:
        log, store = stack.enter_context(opened(settings))
        supervisor = Supervisor(
            list(_several(children, "normalizer", normalizers)),
            lambda name, line: said.append(f"{name}: {line[:_WIDTH]}"),
            patience,
        )
        stack.enter_context(supervisor.keeping_on())
        has_workflows = settings.has_workflow_server
        yield Services(places, supervisor, log, store.engine, has_workflows, soon, said)


def _several(children: list[Child], name: str, count: int) -> Iterator[Child]:
    for child in children:
        yield child
        if child.name == name:
            yield from (replace(child, name=f"{name} {n}") for n in range(2, count + 1))
