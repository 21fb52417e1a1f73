"""The services of payments as processes: what each is started with."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from clearhouse.core.supervisor import Child
from clearhouse.settings import Settings

GATEWAY_PORT = 8080
INFERENCE_PORT = 8004
NORMALIZER_PORT = 8005
WORKER_PORT = 8006
STARTER_PORT = 8007


def health_urls(settings: Settings) -> dict[str, str]:
    """By service, where it says how it is, if it listens where it does by default."""
    ports = {"gateway": GATEWAY_PORT, "normalizer": NORMALIZER_PORT}
    if settings.workflows_url.startswith("temporal"):
        ports["starter"] = STARTER_PORT
    ports |= {"worker": WORKER_PORT, "inference": INFERENCE_PORT}
    return {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}


@dataclass(frozen=True, slots=True)
class Places:
    """Where the services listen.

    Attributes:
        inference: port of the inference service; None: it is not started, and the worker asks the
            models in its own process.
        health: by service that is a loop, the port of its health and metrics, on loopback. One
            that is not named has none.
    """

    host: str = "127.0.0.1"
    gateway: int = GATEWAY_PORT
    inference: int | None = INFERENCE_PORT
    health: Mapping[str, int] = field(default_factory=dict)

    def health_options(self, name: str) -> tuple[str, ...]:
        """The options by which a loop says how it is."""
        port = self.health.get(name)
        return () if port is None else ("--port", str(port))

    @property
    def gateway_url(self) -> str:
        """Where providers send their webhooks to."""
        return f"http://{self.host}:{self.gateway}"


def services(
    places: Places,
    environment: Mapping[str, str],
    *,
    has_starter: bool,
    of_sandbox: bool = False,
) -> list[Child]:
    """The services in the order in which they start: the door is opened last, and closed first.

    Args:
        places: where they listen.
        environment: settings of all of them, beside those of this process.
        has_starter: events are started on a workflow server, which the worker asks for them.
        of_sandbox: the gateway takes the webhooks of the sandbox's accounts, and no others.
    """
    shared = dict(environment)
    children: list[Child] = []
    if places.inference is not None:
        shared["INFERENCE_URL"] = f"http://127.0.0.1:{places.inference}"
        children.append(_service("inference", shared, "--port", str(places.inference)))
    return [
        *children,
        _service("worker", shared, *places.health_options("worker")),
        *([_service("starter", shared, *places.health_options("starter"))] if has_starter else []),
        _service("normalizer", shared, *places.health_options("normalizer")),
        _service(
            "gateway",
            shared,
            *("--host", places.host, "--port", str(places.gateway)),
            *(["--sandbox"] if of_sandbox else []),
        ),
    ]


def _service(name: str, environment: Mapping[str, str], *options: str) -> Child:
    return Child(name, (sys.executable, "-m", "clearhouse", "serve", name, *options), environment)
