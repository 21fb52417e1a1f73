"""Running the sandbox: in the foreground, or beside a program for as long as it needs it."""

import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from clearhouse.sandbox.options import SandboxError, SandboxOptions, faults_as_text

if TYPE_CHECKING:
    import uvicorn

START_TIMEOUT_SECONDS = 30.0
_STOP_TIMEOUT_SECONDS = 5.0
_GRACE_SECONDS = 1  # for answers under way; an endless stream would hold the server for ever
_SAID_CHARS = 600  # of what a child said before it failed


def serve(
    options: SandboxOptions,
    host: str = "127.0.0.1",
    port: int = 0,
    on_ready: Callable[[str], None] | None = None,
    *,
    until: IO[bytes] | None = None,
) -> None:
    """Serves until interrupted.

    Args:
        options: the world and its faults.
        host: address to listen at.
        port: 0 for any free one.
        on_ready: called once with the base URL, when requests are answered.
        until: a stream whose end ends the server too.

    Raises:
        SandboxError: the address can't be listened at.
        UsageError: the options name a fault that there is not.
    """
    import uvicorn

    from clearhouse.sandbox.simtom.app import create_app

    app = create_app(options)
    listener = _listen(host, port)
    bound_port = listener.getsockname()[1]

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if on_ready is not None:
                on_ready(f"http://{host}:{bound_port}")

    server = Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
    if until is not None:
        threading.Thread(target=_end_with, args=(until, server), daemon=True).start()
    with listener:
        server.run(sockets=[listener])


@contextmanager
def running(
    options: SandboxOptions, start_timeout_seconds: float = START_TIMEOUT_SECONDS
) -> Iterator[str]:
    """A sandbox in a process of its own; yields its base URL, `http://127.0.0.1:PORT`.

    The process holds the reading end of a pipe from this one: it ends with the context, and also
    when this process dies without a word.

    Raises:
        SandboxError: it did not answer in time; the message holds what it said.
    """
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(  # noqa: S603
            command(options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # Ctrl-C is for the program; it then ends this child
        )
        try:
            yield _base_url(child, errors, start_timeout_seconds)
        finally:
            _stop(child)


def command(options: SandboxOptions) -> list[str]:
    """The command line of a child with these options."""
    words = [sys.executable, "-m", "clearhouse.sandbox", "--until-stdin-ends"]
    words += ["--seed", str(options.seed), "--volume", options.volume]
    words += ["--pause-seconds", str(options.pause_seconds)]
    words += ["--retry-after-seconds", str(options.retry_after_seconds)]
    words += ["--slow-seconds", str(options.slow_seconds)]
    words += ["--hostile"] if options.hostile else []
    for fault in faults_as_text(options.faults):
        words += ["--fault", fault]
    return words


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SandboxError(
            f"The sandbox can't listen at {host}:{port} ({error.strerror}): choose another port.",
            "address_in_use",
        ) from error
    return listener


def _end_with(stream: IO[bytes], server: "uvicorn.Server") -> None:
    while stream.read(1024):
        pass
    server.should_exit = True


def _base_url(child: subprocess.Popen[bytes], errors: IO[bytes], timeout_seconds: float) -> str:
    said: list[bytes] = []
    assert child.stdout is not None  # noqa: S101
    # A thread, since a pipe's readline knows no time-out.
    reader = threading.Thread(target=_first_line, args=(child.stdout, said), daemon=True)
    reader.start()
    reader.join(timeout_seconds)
    line = said[0].decode().strip() if said else ""
    if line.startswith("http://"):
        return line
    ended = child.poll() is not None or bool(said)
    _stop(child)
    errors.seek(0)
    reason = errors.read().decode(errors="replace").strip()[-_SAID_CHARS:]
    raise SandboxError(
        f"The sandbox did not start: {reason or 'it ended without a word'}"
        if ended
        else f"The sandbox did not answer within {timeout_seconds:g} s: try again."
    )


def _first_line(stream: IO[bytes], said: list[bytes]) -> None:
    said.append(stream.readline())


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Ends the child: politely by closing its stdin, then not. Safe to call twice."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(_STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout is not None:
        child.stdout.close()
