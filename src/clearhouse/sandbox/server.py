"""Running sandbox sources: in the foreground, or in a process beside a program that needs them."""

import json
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from pydantic import TypeAdapter

from clearhouse.core.listening import listen
from clearhouse.sandbox.registry import source_named
from clearhouse.sandbox.simtom.options import SimtomOptions
from clearhouse.sandbox.simtom.source import SIMTOM
from clearhouse.sandbox.source import SandboxError, SourceOptions

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp, Receive, Scope, Send

START_TIMEOUT_SECONDS = 120.0
"""A child that fails ends, and is not waited for: it is for one on a machine with much to do."""
_GRACE_SECONDS = 1  # for answers in progress; an endless stream would hold the server for ever
_ERROR_CHARS = 600  # of what a child wrote before it failed


def serve(
    options: SimtomOptions,
    host: str = "127.0.0.1",
    port: int = 0,
    on_ready: Callable[[str], None] | None = None,
    *,
    until: IO[bytes] | None = None,
) -> None:
    """Serves simtom until interrupted, as `serve_sources` does."""

    def ready(urls: Mapping[str, str]) -> None:
        if on_ready is not None:
            on_ready(urls[SIMTOM.name])

    serve_sources({SIMTOM.name: options}, host, {SIMTOM.name: port}, ready, until=until)


def serve_sources(
    sources: Mapping[str, SourceOptions],
    host: str = "127.0.0.1",
    ports: Mapping[str, int] | None = None,
    on_ready: Callable[[dict[str, str]], None] | None = None,
    *,
    until: IO[bytes] | None = None,
) -> None:
    """Serves sources until interrupted, each at a port of its own.

    Args:
        sources: their options, by name.
        host: address to listen at.
        ports: by name; any free one for a source that is not in it, or has 0.
        on_ready: called once with the base URLs, by name, when requests are answered.
        until: a stream whose end ends the server too.

    Raises:
        UsageError: an address can't be listened at (address_in_use), there is no such source, or
            the options name an unknown fault.
    """
    apps = {name: source_named(name).create_app(options) for name, options in sources.items()}
    with ExitStack() as stack:
        listeners = {
            name: stack.enter_context(listen(host, (ports or {}).get(name, 0))) for name in apps
        }
        bound = {name: listener.getsockname()[1] for name, listener in listeners.items()}
        urls = {name: f"http://{host}:{port}" for name, port in bound.items()}
        by_port = _ByPort({bound[name]: app for name, app in apps.items()})
        server = _server(by_port, lambda: on_ready(urls) if on_ready is not None else None)
        if until is not None:
            threading.Thread(target=_end_with, args=(until, server), daemon=True).start()
        server.run(sockets=list(listeners.values()))


@contextmanager
def running(
    options: SimtomOptions, start_timeout_seconds: float = START_TIMEOUT_SECONDS
) -> Iterator[str]:
    """A simtom in a process of its own, as by `running_sources`; yields its base URL."""
    with running_sources({SIMTOM.name: options}, start_timeout_seconds) as urls:
        yield urls[SIMTOM.name]


@contextmanager
def running_sources(
    sources: Mapping[str, SourceOptions], start_timeout_seconds: float = START_TIMEOUT_SECONDS
) -> Iterator[dict[str, str]]:
    """Sources in a process of their own; yields their base URLs, `http://127.0.0.1:PORT`, by name.

    The process holds the reading end of a pipe from this one: it ends with the context, and also
    when this process is killed.

    Raises:
        SandboxError: it did not answer in time; the message holds what it wrote.
    """
    with tempfile.TemporaryFile() as errors, tempfile.NamedTemporaryFile() as request:
        request.write(as_json(sources))
        request.flush()
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "clearhouse.sandbox", request.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # Ctrl-C is for the program; it then ends this child
        )
        try:
            yield _base_urls(child, errors, start_timeout_seconds)
        finally:
            _stop(child)


def free_port(host: str = "127.0.0.1") -> int:
    """A port at which nobody listens now."""
    with listen(host, 0) as listener:
        port: int = listener.getsockname()[1]
        return port


def as_json(sources: Mapping[str, SourceOptions]) -> bytes:
    """Sources and their options, for a child."""
    values = {
        name: TypeAdapter(source_named(name).options).dump_python(options, mode="json")
        for name, options in sources.items()
    }
    return json.dumps(values).encode()


def from_json(text: bytes) -> dict[str, SourceOptions]:
    """The inverse of `as_json`."""
    return {
        name: TypeAdapter(source_named(name).options).validate_python(values)
        for name, values in json.loads(text).items()
    }


@dataclass(frozen=True)
class _ByPort:
    """One application of several: a request goes to the one of the port at which it arrived."""

    apps: Mapping[int, "ASGIApp"]

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        await self.apps[scope["server"][1]](scope, receive, send)


def _server(app: "ASGIApp", on_ready: Callable[[], None]) -> "uvicorn.Server":
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            on_ready()

    return Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )


def _end_with(stream: IO[bytes], server: "uvicorn.Server") -> None:
    while stream.read(1024):
        pass
    server.should_exit = True


def _base_urls(
    child: subprocess.Popen[bytes], errors: IO[bytes], timeout_seconds: float
) -> dict[str, str]:
    lines: list[bytes] = []
    assert child.stdout is not None  # noqa: S101
    # A thread, since a pipe's readline knows no time-out.
    reader = threading.Thread(target=_first_line, args=(child.stdout, lines), daemon=True)
    reader.start()
    reader.join(timeout_seconds)
    if lines and lines[0]:
        urls: dict[str, str] = json.loads(lines[0])
        return urls
    ended = child.poll() is not None or bool(lines)
    _stop(child)
    errors.seek(0)
    reason = errors.read().decode(errors="replace").strip()[-_ERROR_CHARS:]
    raise SandboxError(
        f"The sandbox did not start: {reason or 'it ended without a message'}"
        if ended
        else f"The sandbox did not answer within {timeout_seconds:g} s: try again."
    )


def _first_line(stream: IO[bytes], lines: list[bytes]) -> None:
    lines.append(stream.readline())


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Ends the child at once: nothing of it lasts. Safe to call twice."""
    child.kill()
    child.wait()
    if child.stdin is not None:
        child.stdin.close()
    if child.stdout is not None:
        child.stdout.close()
