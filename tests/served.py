"""An ASGI application that is served over HTTP in a thread of this process."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

_START_SECONDS = 20.0


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """The base URL of an application, once it answers."""
    config = uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)  # client and server take turns in one process
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        assert time.monotonic() < deadline, "the application did not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        sys.setswitchinterval(before)
