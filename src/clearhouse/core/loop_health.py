"""Health and metrics of a loop over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from clearhouse.core.errors import ClearhouseError, first_line
from clearhouse.core.listening import listen
from clearhouse.core.loops import LoopState


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
def served(app: Any, host: str, port: int) -> Iterator[None]:
    """Serve an ASGI application in a thread, which leaves signals to the main one.

    Raises:
        UsageError: nothing can listen there (address_in_use).
    """
    listener = listen(host, port)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, args=([listener],), name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
