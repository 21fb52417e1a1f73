"""The general ledger's service over HTTP: exports of all lines, and one stream for many clients."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from pyarrow import parquet as pq

from benchmarks.jobs import BenchmarkError, Done, Job, Stopwatch, Task, nothing_to_compare
from benchmarks.parts.ledger_process import APPROVER, HEADERS, now, service

FIRST_BYTE = "first byte"
TO_LAST, TO_LAST_MOST = "posting to last client, median", "posting to last client, most"
ANSWERED = "posting answered, median"
CLIENTS = 200
POSTINGS = 20
LINES_OF_A_POSTING = 100
_TIMEOUT_SECONDS = 300.0


def export_ndjson(job: Job, stack: ExitStack) -> Task:
    """All lines as NDJSON, written to a file as they come."""
    return _export(job, stack, "ndjson", _lines_of)


def export_parquet(job: Job, stack: ExitStack) -> Task:
    """All lines as Parquet, written to a file as they come."""
    return _export(job, stack, "parquet", lambda file: pq.read_metadata(file).num_rows)


def _export(job: Job, stack: ExitStack, form: str, count: Callable[[Path], int]) -> Task:
    server = service(job, stack)
    client = stack.enter_context(
        httpx.Client(base_url=server.url, headers=HEADERS, timeout=_TIMEOUT_SECONDS)
    )
    client.get("/health/ready")  # the connection is there
    file, told = job.home / f"lines.{form}", 0

    def run() -> Done:
        nonlocal told
        began, watch = time.perf_counter(), Stopwatch()
        with (
            client.stream("GET", "/v1/lines/export", params={"format": form}) as answer,
            file.open("wb") as written,
        ):
            answer.raise_for_status()
            told = int(answer.headers["X-Record-Count"])
            for part in answer.iter_raw():
                if FIRST_BYTE not in watch.seconds:
                    watch.add(FIRST_BYTE, time.perf_counter() - began)
                written.write(part)
        return Done(told, file.stat().st_size, watch.seconds)

    def content() -> dict[str, str]:
        if told == 0 or count(file) != told:
            raise BenchmarkError(f"The export has {count(file)} lines, not {told}.")
        return nothing_to_compare()

    return Task(run, content)


def _lines_of(file: Path) -> int:
    with file.open("rb") as opened:
        return sum(block.count(b"\n") for block in iter(lambda: opened.read(1 << 20), b""))


def stream(job: Job, stack: ExitStack) -> Task:
    """Journals posted one after the other, each when every client has the lines of the one before.

    A posting's time to the last client begins when it is sent, so it includes its recording.
    """
    server = service(job, stack, writes=True)
    runner = stack.enter_context(asyncio.Runner())
    followers = runner.run(_following(server.url, str(now(job.days).date())))
    stack.callback(lambda: runner.run(followers.close()))

    def run() -> Done:
        return runner.run(followers.measured())

    return Task(run, followers.checked)


async def _following(url: str, today: str) -> "_Followers":
    followers = _Followers(url, today)
    await followers.open()
    return followers


class _Followers:
    """Clients of one stream, and who posts.

    Args:
        url: of the service.
        today: the day of its clock.
    """

    def __init__(self, url: str, today: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            headers=HEADERS,
            timeout=httpx.Timeout(_TIMEOUT_SECONDS, read=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
        )
        self._today = today
        self._posted = 0
        self._lines = [0] * CLIENTS
        self._all_lines = self._all_bytes = 0
        self._is_everywhere = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Let all clients follow, and see that each gets what is posted."""
        newest = await self._client.get("/v1/lines", params={"sort": "-gl_entry_id", "limit": 1})
        (line,) = newest.raise_for_status().json()["data"]
        for number in range(CLIENTS):
            self._tasks.append(asyncio.create_task(self._follow(number, line["gl_entry_id"])))
        await self._post()

    async def measured(self) -> Done:
        """Post, and wait for the last client; again and again."""
        lines, payload_bytes = self._all_lines, self._all_bytes
        answered, arrived = zip(*[await self._post() for _ in range(POSTINGS)], strict=True)
        phases = {ANSWERED: median(answered), TO_LAST: median(arrived), TO_LAST_MOST: max(arrived)}
        return Done(self._all_lines - lines, self._all_bytes - payload_bytes, phases)

    async def close(self) -> None:
        """End all streams."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self._client.aclose()

    def checked(self) -> dict[str, str]:
        """See that each client got each line once."""
        if set(self._lines) != {self._posted * LINES_OF_A_POSTING}:
            raise BenchmarkError(f"Clients got {sorted(set(self._lines))} lines.")
        return nothing_to_compare()

    async def _post(self) -> tuple[float, float]:
        """Seconds until a posting is answered, and until the last client has its lines."""
        self._is_everywhere.clear()
        self._posted += 1
        began = time.perf_counter()
        answer = await self._client.post(
            "/v1/journals",
            json=_journal(self._today),
            headers={"Idempotency-Key": f"posting-{self._posted}"},
        )
        answered = time.perf_counter() - began
        answer.raise_for_status()
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await self._is_everywhere.wait()
        return answered, time.perf_counter() - began

    async def _follow(self, number: int, after: int) -> None:
        async with self._client.stream(
            "GET", "/v1/lines/stream", params={"after": after}
        ) as answer:
            answer.raise_for_status()
            async for part in answer.aiter_raw():
                count = part.count(b"\n")
                self._lines[number] += count
                self._all_lines += count
                self._all_bytes += len(part)
                if self._all_lines == self._posted * LINES_OF_A_POSTING * CLIENTS:
                    self._is_everywhere.set()


def _journal(today: str) -> dict[str, Any]:
    pairs = LINES_OF_A_POSTING // 2
    lines = [
        {"account_code": "7300", "debit": "12.50"},
        {"account_code": "1010", "credit": "12.50"},
    ]
    return {
        "posting_date": today,
        "description": "Insurance of the field office",
        "approved_by": APPROVER,
        "lines": lines * pairs,
    }
