"""Uvicorn's HTTP protocol, whose answers leave in one write each.

Uvicorn writes an answer's head and its body one after the other, and uvloop sends each at once. A
short answer costs two system calls then, and wakes its client twice.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST_HELD_BYTES = 64 << 10
"""More is sent at once, so that a stream does not gather here."""


class OneWriteProtocol(HttpToolsProtocol):
    """See the module; otherwise as uvicorn's own."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._gathering = _Gathering(transport, self.loop)
        self.transport = cast(asyncio.Transport, self._gathering)

    def eof_received(self) -> None:
        """See `asyncio.Protocol`. The transport is closed next, but the client may still read."""
        self._gathering.send()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        super().connection_lost(exc)
        self._gathering.lose()


class _Gathering:
    """A transport that sends together what is written in one turn of the event loop."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""
        self._is_lost = False
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if self._is_lost:
            self._transport.write(data)  # may raise, by which who writes for ever is ended
            return
        if not self._held:
            self._loop.call_soon(self.send)
        self._held += data
        if len(self._held) > _MOST_HELD_BYTES:
            self.send()

    def close(self) -> None:
        self.send()
        self._transport.close()

    def lose(self) -> None:
        """Nobody is there any more to whom the rest could be sent."""
        self._held, self._is_lost = b"", True

    def send(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
