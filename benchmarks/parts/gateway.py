"""The gateway over HTTP: signed bodies of 2.6 KB, each answered when the log has it durably.

Beside it the same gateway with a log that does nothing. Who sends is a process of its own, and on
the same cores.
"""

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import uvloop

from benchmarks.jobs import BenchmarkError, Done, Job, Stopwatch, Task, nothing_to_compare
from benchmarks.parts.gateway_process import SECRET
from benchmarks.parts.served import Server, served
from clearhouse.log.opening import LogPlace
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.topics import WEBHOOKS
from clearhouse.sandbox.payments import signing

FEW, MANY = 16, 64
REQUESTS = 16_000
BODY_BYTES = 2_600
MEDIAN, WORST, CPU = "answered, median", "answered, p99", "CPU of the gateway per request"


def few_connections(job: Job, stack: ExitStack) -> Task:
    """16 connections, each of which sends when it is answered."""
    return _task(job, stack, FEW, "log")


def many_connections(job: Job, stack: ExitStack) -> Task:
    """The same with 64."""
    return _task(job, stack, MANY, "log")


def few_connections_no_log(job: Job, stack: ExitStack) -> Task:
    """16 connections and a log that does nothing."""
    return _task(job, stack, FEW, "no_log")


def many_connections_no_log(job: Job, stack: ExitStack) -> Task:
    """The same with 64."""
    return _task(job, stack, MANY, "no_log")


def _task(job: Job, stack: ExitStack, connections: int, what: str) -> Task:
    file = job.home / "log.db"
    server = stack.enter_context(served("benchmarks.parts.gateway_process", what, str(file)))
    requests = [_request(number) for number in range(REQUESTS)]
    uvloop.run(_send(server, requests[:connections], connections))  # it has answered before

    def run() -> Done:
        cpu = _cpu_seconds(server.pid)
        seconds = sorted(uvloop.run(_send(server, requests, connections)))
        watch = Stopwatch()
        watch.add(MEDIAN, seconds[len(seconds) // 2])
        watch.add(WORST, seconds[len(seconds) * 99 // 100])
        watch.add(CPU, (_cpu_seconds(server.pid) - cpu) / REQUESTS)
        return Done(REQUESTS, REQUESTS * BODY_BYTES, watch.seconds)

    def content() -> dict[str, str]:
        if what == "log" and _kept(file) != REQUESTS + connections:
            raise BenchmarkError(f"The log has {_kept(file)} webhooks.")
        return nothing_to_compare()

    return Task(run, content)


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
        **signing.stripe(body, [SECRET], int(time.time()) + 3600),  # not old when it is sent
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /webhooks/stripe HTTP/1.1\r\n{head}\r\n".encode() + body


async def _send(server: Server, requests: Sequence[bytes], connections: int) -> list[float]:
    """Seconds to each answer."""
    seconds: list[float] = []

    async def connection(first: int) -> None:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        for request in requests[first::connections]:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            seconds.append(time.perf_counter() - began)
            if not head.startswith(b"HTTP/1.1 200 "):
                raise BenchmarkError(f"The gateway said {head.splitlines()[0].decode()}.")
        writer.close()

    await asyncio.gather(*(connection(number) for number in range(connections)))
    return seconds


def _cpu_seconds(pid: int) -> float:
    """Of a running process, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _kept(file: Path) -> int:
    log = open_payment_log(LogPlace(f"sqlite:///{file}"))
    try:
        return log.end(WEBHOOKS.name)
    finally:
        log.close()
