"""What a request gets: the days between two dates, or an endless stream without them."""

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import anyio
import numpy as np

from clearhouse.sandbox import record_faults
from clearhouse.sandbox.rng import stream
from clearhouse.sandbox.simtom import faults, wire
from clearhouse.sandbox.simtom.config import Entity, GeneratorConfig, NoiseType
from clearhouse.sandbox.simtom.noise import noisy
from clearhouse.sandbox.simtom.options import SimtomOptions
from clearhouse.sandbox.simtom.purchases import Purchases, of_batch, of_day
from clearhouse.sandbox.simtom.record_faults import RECORD_FAULTS
from clearhouse.sandbox.simtom.volume import formula

DEFAULT_RATE_PER_SECOND = 10.0
_BATCH = 1_000
_TICKS_PER_SECOND = 20  # above this rate, several records go out at a time


@dataclass(frozen=True)
class History:
    """The days of one request. A day is a function of seed, config, options and its row faults."""

    seed: int
    config: GeneratorConfig
    options: SimtomOptions

    def blocks(self, day: dt.date, kinds: list[str]) -> Iterator[bytes]:
        """The text of a day with these row faults, block by block."""
        blocks = self._noisy(faults.apply(kinds, self._purchases(day)))
        if not RECORD_FAULTS.keys() & kinds:
            yield from blocks
            return
        texts = wire.STREAM.split(b"".join(blocks))
        sent = record_faults.SentDay(day, self.seed, self.options.seed, texts)
        yield wire.STREAM.join(record_faults.apply(RECORD_FAULTS, kinds, sent))

    def _purchases(self, day: dt.date) -> Purchases:
        count = self.config.base_daily_volume
        if self.options.volume == "formula":
            count = formula(self.seed, day, count)
        return of_day(self.seed, day, count, tuple(self.config.peak_hours))

    def _noisy(self, purchases: Purchases) -> Iterator[bytes]:
        blocks = wire.blocks(purchases)
        if self.config.noise_type is NoiseType.NONE or self.config.noise_level == 0:
            return blocks
        rng = stream(self.seed, Entity.NOISE, purchases.day.toordinal())
        return noisy(blocks, self.config.noise_type, self.config.noise_level, rng)


async def endless(seed: int, config: GeneratorConfig) -> AsyncIterator[bytes]:
    """Records at `rate_per_second`, until `max_records` or until the client disconnects.

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
