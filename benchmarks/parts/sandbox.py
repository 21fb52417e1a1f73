"""The sandbox: how fast purchases are made, and how fast they are served over HTTP."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import httpx

from benchmarks.jobs import SEED, BenchmarkError, Done, Job, Task, pattern
from clearhouse.bnpl.api_client import request_for
from clearhouse.bnpl.data_patterns import DayAsk
from clearhouse.core.event_stream import unframe
from clearhouse.core.http import HttpPolicy
from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.server import running
from clearhouse.sandbox.simtom import wire
from clearhouse.sandbox.simtom.config import GeneratorConfig
from clearhouse.sandbox.simtom.purchases import of_day

_PEAK_HOURS = tuple(GeneratorConfig.model_validate({}).peak_hours)
_AT_ONCE = HttpPolicy().concurrency
_TIMEOUT_SECONDS = 120.0


def inputs(job: Job, _: ExitStack) -> Task:
    """Write the files that the other parts read: one NDJSON file a day, as simtom sends them."""

    def run() -> Done:
        records = payload_bytes = 0
        job.inputs.mkdir(parents=True, exist_ok=True)
        for ask in _asks(job):
            payload, count = unframe(b"".join(_blocks(ask)))
            job.file(ask.day).write_bytes(payload)
            records += count
            payload_bytes += len(payload)
        return Done(records, payload_bytes)

    return Task(run)


def make(job: Job, _: ExitStack) -> Task:
    """Make the days' records as text in memory, one day after the other, in one thread."""
    asks = _asks(job)

    def run() -> Done:
        text_bytes = sum(len(block) for ask in asks for block in _blocks(ask))
        return Done(_records(asks), text_bytes)

    return Task(run)


def serve(job: Job, stack: ExitStack) -> Task:
    """Ask a sandbox over HTTP for each day, some at once, and count the bytes that come."""
    asks = _asks(job)
    url = stack.enter_context(running(SandboxOptions(seed=SEED)))

    def run() -> Done:
        return Done(_records(asks), asyncio.run(_fetch(url, asks)))

    return Task(run)


def _asks(job: Job) -> list[DayAsk]:
    volumes = pattern()
    return [volumes.ask(day) for day in job.window]


def _records(asks: list[DayAsk]) -> int:
    return sum(ask.base_daily_volume for ask in asks)


def _blocks(ask: DayAsk) -> Iterator[bytes]:
    return wire.blocks(of_day(SEED, ask.day, ask.base_daily_volume, _PEAK_HOURS))


async def _fetch(url: str, asks: list[DayAsk]) -> int:
    """Bytes of all answers, each of which must be whole."""
    turns = asyncio.Semaphore(_AT_ONCE)
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_SECONDS) as client:

        async def one(ask: DayAsk) -> int:
            request = request_for(ask.day, ask.day, ask.base_daily_volume, ask.seed)
            newlines = answer_bytes = 0
            async with (
                turns,
                client.stream("POST", request["path"], json=request["json"]) as answer,
            ):
                answer.raise_for_status()
                async for chunk in answer.aiter_bytes():
                    newlines += chunk.count(b"\n")
                    answer_bytes += len(chunk)
            if newlines != 2 * ask.base_daily_volume:
                raise BenchmarkError(
                    f"{ask.day}: {newlines // 2} records came, not {ask.base_daily_volume}."
                )
            return answer_bytes

        return sum(await asyncio.gather(*(one(ask) for ask in asks)))
