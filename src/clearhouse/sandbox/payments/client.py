"""One connection to a gateway: lean, since the sender must not be what is measured."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

import httptools


class NoAnswerError(Exception):
    """The connection was refused, was lost, or nothing came in time."""


class Connection:
    """A connection that is opened when it is needed, and again when it was lost.

    Args:
        url: of the gateway, as `http://127.0.0.1:8080`.
        timeout_seconds: for one answer.
    """

    def __init__(self, url: str, timeout_seconds: float = 10.0) -> None:
        parts = urlsplit(url)
        self._host, self._base = parts.hostname or "", parts.path.rstrip("/")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._timeout_seconds = timeout_seconds
        self._protocol: _Protocol | None = None

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer to a POST of JSON.

        Raises:
            NoAnswerError: there was none.
        """
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"POST {self._base}{path} HTTP/1.1\r\nhost: {self._host}:{self._port}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n{lines}\r\n"
        )
        try:
            async with asyncio.timeout(self._timeout_seconds):
                protocol = self._protocol or await self._connect()
                status = await protocol.exchange(head.encode() + body)
        except (OSError, TimeoutError) as error:
            self.close()
            raise NoAnswerError from error
        if not protocol.stays:
            self.close()
        return status

    def close(self) -> None:
        """Close it, if it is open."""
        if self._protocol is not None:
            self._protocol.close()
        self._protocol = None

    async def _connect(self) -> "_Protocol":
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(_Protocol, self._host, self._port, ssl=self._tls)
        self._protocol = made
        return made


class _Protocol(asyncio.Protocol):
    """HTTP/1.1, one request at a time."""

    def __init__(self) -> None:
        self.stays = True
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None

    async def exchange(self, request: bytes) -> int:
        """The status of the answer to a request."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is a class of its own

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail(ConnectionError("The answer is no HTTP."))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self.stays = False
        self._fail(exc if isinstance(exc, OSError) else ConnectionResetError())

    def on_message_complete(self) -> None:
        """See httptools."""
        self.stays = self._parser.should_keep_alive()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self._parser.get_status_code())

    def _fail(self, error: OSError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
