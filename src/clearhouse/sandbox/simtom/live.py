"""The endless stream: what simtom sends when a request does not hold both dates."""

import datetime as dt
from collections.abc import AsyncIterator, Iterator

import anyio
import numpy as np

from clearhouse.sandbox.simtom import wire
from clearhouse.sandbox.simtom.config import GeneratorConfig
from clearhouse.sandbox.simtom.purchases import of_batch

DEFAULT_RATE_PER_SECOND = 10.0
_BATCH = 1_000
_TICKS_PER_SECOND = 20  # above this rate, several records go out at a time


async def endless(seed: int, config: GeneratorConfig) -> AsyncIterator[bytes]:
    """Records at `rate_per_second`, until `max_records` or until the client hangs up.

    Times go on from `start_time` at the rate, multiplied by `time_compression`; they come from
    the request and not from a clock, so that the same request gives the same records.
    """
    rate = config.rate_per_second or DEFAULT_RATE_PER_SECOND
    per_tick = max(1, round(rate / _TICKS_PER_SECOND))
    for tick in _ticks(_records(seed, config, rate), per_tick):
        yield b"".join(tick)
        await anyio.sleep(len(tick) / rate)


def _ticks(records: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    tick: list[bytes] = []
    for record in records:
        tick.append(record)
        if len(tick) == size:
            yield tick
            tick = []
    if tick:
        yield tick


def _records(seed: int, config: GeneratorConfig, rate: float) -> Iterator[bytes]:
    start = config.start_time.replace(tzinfo=None)
    midnight = dt.datetime.combine(start, dt.time())
    sent = 0
    while config.max_records is None or sent < config.max_records:
        size = _BATCH if config.max_records is None else min(_BATCH, config.max_records - sent)
        ordinals = np.arange(sent, sent + size)
        seconds = (start - midnight).total_seconds() + ordinals * config.time_compression / rate
        batch = of_batch(seed, start.date(), sent // _BATCH, seconds.astype(np.int64), sent)
        for record in wire.encode(batch).split(b"\n\n")[:-1]:
            yield record + b"\n\n"
        sent += size
