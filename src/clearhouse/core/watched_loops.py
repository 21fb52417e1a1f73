"""A service that is a loop, and says how it is over HTTP meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from clearhouse.core.loops import LoopState, until_a_signal


@contextmanager
def watched_until_a_signal(
    title: str, state: LoopState, host: str, port: int | None
) -> Iterator[threading.Event]:
    """See `until_a_signal`; meanwhile health and metrics are served, unless the port is None."""
    with until_a_signal() as stop:
        if port is None:
            yield stop
            return
        # A web server takes as long to import as all the rest.
        from clearhouse.core.loop_health import health_app, served

        with served(health_app(title, state), host, port):
            yield stop
