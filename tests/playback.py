"""A real HTTP server, on a port of its own, that plays back bytes and misbehaves when told to.

    with Playback([Play(status=503), Play(b"data: {}\\n\\n")]) as server:
        ...  # server.url, server.asked

The answers are given in order, and the last one for ever; or by a function of what was asked.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

SIMTOM = Path(__file__).parent / "data" / "simtom"


@dataclass(frozen=True)
class Play:
    """One answer, sent in chunks as simtom's are."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "text/plain; charset=utf-8"
    chunk_bytes: int = 4096
    final_chunk: bool = True
    """False: the connection closes after the body, without the chunk that says "this was all"."""
    framing: Literal["chunked", "length", "none"] = "chunked"
    """How the end of the body is told; none: by closing the connection, as in HTTP/1.0."""
    hang_seconds: float = 0.0
    """Silence before the answer; it ends early when the server is closed."""
    drips: bool = False
    """A byte now and then, without end, until the server is closed."""


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def json_play(value: object) -> Play:
    return Play(json.dumps(value).encode(), content_type="application/json")


class Playback:
    """The server, as a context manager; requests are served side by side."""

    def __init__(self, script: Sequence[Play] | Callable[[Asked], Play]) -> None:
        self._script = script
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._at_once = 0
        playback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                playback._serve(self)

            do_POST = do_PUT = do_GET  # noqa: N815

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        path, _, query = handler.path.partition("?")
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        asked = Asked(handler.command, path, query, dict(handler.headers.items()), body)
        with self._lock:
            self.asked.append(asked)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            number = len(self.asked)
        try:
            if callable(self._script):
                play = self._script(asked)
            else:
                play = self._script[min(number, len(self._script)) - 1]
            self._closing.wait(play.hang_seconds)
        finally:
            # Counted out before the answer, which is what lets the client send its next request.
            with self._lock:
                self._at_once -= 1
        _send(handler, play, self._closing)


def _send(handler: BaseHTTPRequestHandler, play: Play, closing: threading.Event) -> None:
    handler.send_response(play.status)
    for name, value in play.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Type", play.content_type)
    if play.framing == "chunked":
        handler.send_header("Transfer-Encoding", "chunked")
    elif play.framing == "length":
        handler.send_header("Content-Length", str(len(play.body)))
    handler.end_headers()
    if play.framing == "none" or not play.final_chunk:
        handler.close_connection = True
    try:
        handler.wfile.write(play.body if play.framing != "chunked" else _chunked(play))
        while play.drips and not closing.wait(0.005):
            handler.wfile.write(b"1\r\n.\r\n")
    except (BrokenPipeError, ConnectionResetError):
        handler.close_connection = True  # the client had enough: a test of just that


def _chunked(play: Play) -> bytes:
    starts = range(0, len(play.body), play.chunk_bytes)
    chunks = [play.body[start : start + play.chunk_bytes] for start in starts]
    framed = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]
    if play.final_chunk and not play.drips:
        framed.append(b"0\r\n\r\n")
    return b"".join(framed)
