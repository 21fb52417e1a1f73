"""The services of payments as processes: what each is started with."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from clearhouse.core.supervisor import Child

GATEWAY_PORT = 8080
INFERENCE_PORT = 8004


@dataclass(frozen=True, slots=True)
class Places:
    """Where the services that answer requests listen.

    Attributes:
        inference: port of the inference service; None: it is not started, and the worker asks the
            models in its own process.
    """

    host: str = "127.0.0.1"
    gateway: int = GATEWAY_PORT
    inference: int | None = INFERENCE_PORT

    @property
    def gateway_url(self) -> str:
        """Where providers send their webhooks to."""
        return f"http://{self.host}:{self.gateway}"


def services(
    places: Places,
    environment: Mapping[str, str],
    *,
    of_sandbox: bool = False,
    has_starter: bool = False,
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
        _service("worker", shared),
        *([_service("starter", shared)] if has_starter else []),
        _service("normalizer", shared),
        _service(
            "gateway",
            shared,
            *("--host", places.host, "--port", str(places.gateway)),
            *(["--sandbox"] if of_sandbox else []),
        ),
    ]


def _service(name: str, environment: Mapping[str, str], *options: str) -> Child:
    return Child(name, (sys.executable, "-m", "clearhouse", "serve", name, *options), environment)
