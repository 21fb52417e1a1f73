"""Requests over many connections at once, as cheaply as Python can: the server is measured.

Each connection sends its next request when the one before is answered. Requests are bytes that are
ready, and of an answer only the status and the length are read.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True)
class Load:
    """What came of it: the seconds of each answer, in ascending order, and statuses by count."""

    latencies: Sequence[float]
    statuses: dict[int, int]

    def quantile(self, share: float) -> float:
        """Seconds within which this share of the answers came."""
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], load: "_Loading") -> None:
        self._requests, self._load = requests, load
        self._buffer = bytearray()
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(_END_OF_HEAD)
        if not found:
            return
        at = head.lower().find(_LENGTH)
        length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(rest) < length:
            return
        self._buffer.clear()
        status = int(head[9:12])
        self._load.statuses[status] = self._load.statuses.get(status, 0) + 1
        self._load.latencies.append(time.perf_counter() - self._sent_at)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.ended(exc)


class _Loading:
    def __init__(self, connections: int) -> None:
        self.latencies: list[float] = []
        self.statuses: dict[int, int] = {}
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open = connections

    def ended(self, error: Exception | None) -> None:
        self._open -= 1
        if self.done.done():
            return
        if error is not None:
            self.done.set_exception(error)
        elif not self._open:
            self.done.set_result(None)


async def send(host: str, port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Send all requests over so many connections, and wait for all answers."""
    loading, shared = _Loading(connections), iter(requests)
    loop = asyncio.get_running_loop()
    await asyncio.gather(
        *(
            loop.create_connection(lambda: _Connection(shared, loading), host, port)
            for _ in range(connections)
        )
    )
    await loading.done
    return Load(sorted(loading.latencies), loading.statuses)
