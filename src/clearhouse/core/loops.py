"""A service that is a loop: it runs until a signal, and may say how it is over HTTP meanwhile."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

import uvicorn
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from clearhouse.core.errors import ClearhouseError, first_line

STARTING = ClearhouseError("It is starting.", "starting")


class LoopState(Protocol):
    """How a loop is: what is in its way (None: nothing), and its metrics."""

    @property
    def in_the_way(self) -> Exception | None:
        """What keeps it from work; None: nothing."""
        ...

    @property
    def registry(self) -> CollectorRegistry:
        """Its metrics."""
        ...


def health_app(title: str, state: LoopState) -> FastAPI:
    """Health and metrics of a loop."""
    app = FastAPI(title=title, version="1", openapi_url=None)

    @app.get("/health/live")
    def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready")
    def ready(response: Response) -> dict[str, str]:
        error = state.in_the_way
        if error is None:
            return {"status": "ready"}
        response.status_code = 503
        code = error.code if isinstance(error, ClearhouseError) else "store_failed"
        return {"status": "not_ready", "code": code, "reason": first_line(error)}

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(state.registry), media_type=CONTENT_TYPE_LATEST)

    return app


@contextmanager
def until_a_signal(again: Callable[[], None] = lambda: None) -> Iterator[threading.Event]:
    """An event that SIGTERM or Ctrl-C sets, instead of what they do else.

    Args:
        again: called at each signal after the first.
    """
    stop = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            again()
        stop.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def served(app: Any, host: str, port: int) -> Iterator[None]:
    """Serve an ASGI application in a thread, which leaves signals to the main one."""
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def watched_until_a_signal(
    title: str, state: LoopState, host: str, port: int | None
) -> Iterator[threading.Event]:
    """See `until_a_signal`; meanwhile health and metrics are served, unless the port is None."""
    with until_a_signal() as stop:
        if port is None:
            yield stop
            return
        with served(health_app(title, state), host, port):
            yield stop
