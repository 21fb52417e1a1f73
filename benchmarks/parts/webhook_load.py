"""Signed webhooks over many connections, each of which sends when it is answered.

Who sends is a process of its own, and on the same cores as who answers: what it does for a request
is kept small, and no server is measured by what a slow client lets it do.
"""

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.jobs import BenchmarkError, Done, Stopwatch
from benchmarks.parts.served import Server
from clearhouse.sandbox.payments import signing

SECRET = "whsec_of_benchmarks"
FEW, MANY = 16, 64
REQUESTS = 16_000
BODY_BYTES = 2_600
MEDIAN, WORST, CPU = "answered, median", "answered, p99", "CPU per record"
_SECONDS_AT_MOST = 300
_SECONDS_AHEAD = 3_600
"""That requests are signed before they are sent: no signature is old then."""


def loaded(server: Server, connections: int) -> Callable[[], Done]:
    """What sends webhooks to a server over so many connections, and says how it answers.

    The server has answered some when this returns.
    """
    requests = [_request(number) for number in range(REQUESTS)]
    uvloop.run(send(server, requests[:connections], connections))

    def run() -> Done:
        cpu = cpu_seconds(server.pid)
        seconds = sorted(uvloop.run(send(server, requests, connections)))
        watch = Stopwatch()
        watch.add(MEDIAN, seconds[len(seconds) // 2])
        watch.add(WORST, seconds[len(seconds) * 99 // 100])
        watch.add(CPU, (cpu_seconds(server.pid) - cpu) / REQUESTS)
        return Done(REQUESTS, REQUESTS * BODY_BYTES, watch.seconds)

    return run


def cpu_seconds(pid: int) -> float:
    """Of a running process with all its threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _request(number: int) -> bytes:
    unique = hashlib.md5(str(number).encode()).hexdigest()[:24]
    charge = {"id": f"ch_{unique}", "object": "charge", "payment_intent": f"pi_{unique}"}
    event = {"id": f"evt_{unique}", "object": "event", "type": "charge.succeeded"}
    event |= {"created": 1, "data": {"object": charge}, "pad": ""}
    event["pad"] = "x" * (BODY_BYTES - len(json.dumps(event)))
    body = json.dumps(event).encode()
    headers = {
        "host": "benchmark",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        **signing.stripe(body, [SECRET], int(time.time()) + _SECONDS_AHEAD),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /webhooks/stripe HTTP/1.1\r\n{head}\r\n".encode() + body


async def send(server: Server, requests: Sequence[bytes], connections: int) -> list[float]:
    """Seconds to each answer."""
    loop = asyncio.get_running_loop()
    opened = [_Connection(iter(requests[first::connections])) for first in range(connections)]
    for each in opened:
        await loop.create_connection(lambda each=each: each, server.host, server.port)
    async with asyncio.timeout(_SECONDS_AT_MOST):
        ended = await asyncio.gather(*(each.ended for each in opened))
    return [second for seconds in ended for second in seconds]


class _Connection(asyncio.Protocol):
    """Sends one request after another."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.ended: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._seconds: list[float] = []
        self._answer = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send_next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._seconds.append(time.perf_counter() - self._began)
        self._answer = b""
        if head.startswith(b"HTTP/1.1 200 "):
            self._send_next()
        else:
            self._end(f"The gateway said {head.splitlines()[0].decode()}.")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"The gateway ended a connection: {exc}.")

    def _send_next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._end(None)
        else:
            self._began = time.perf_counter()
            self._transport.write(request)

    def _end(self, wrong: str | None) -> None:
        if self.ended.done():
            return
        if wrong is None:
            self.ended.set_result(self._seconds)
        else:
            self.ended.set_exception(BenchmarkError(wrong))
        self._transport.close()


def _length(head: bytes) -> int:
    return int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
