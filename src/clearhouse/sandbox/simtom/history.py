"""The answer to a request with both dates: whole days, one after the other."""

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import anyio
from starlette.concurrency import iterate_in_threadpool

from clearhouse.core.window import Window
from clearhouse.sandbox.faults import FaultPlan
from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.rng import Entity, stream
from clearhouse.sandbox.simtom import faults, wire
from clearhouse.sandbox.simtom.config import GeneratorConfig, NoiseType
from clearhouse.sandbox.simtom.noise import noisy
from clearhouse.sandbox.simtom.purchases import Purchases, of_day
from clearhouse.sandbox.simtom.volume import formula

CHUNK_BYTES = 256 * 1024


class StreamCut(Exception):  # noqa: N818
    """The fault `cut_stream`: what follows is not sent."""


@dataclass(frozen=True)
class History:
    """The days of one request of one world; `cut_days` are dropped in mid-record."""

    seed: int
    config: GeneratorConfig
    options: SandboxOptions
    plan: FaultPlan
    cut_days: frozenset[dt.date] = frozenset()

    async def chunks(self, window: Window) -> AsyncIterator[bytes]:
        """The text of the days, in chunks of at most CHUNK_BYTES.

        Raises:
            StreamCut: when it comes to a day that is to be cut.
        """
        for day in window:
            if day != window.first and self.options.pause_seconds:
                await anyio.sleep(self.options.pause_seconds)
            # In a thread: the generation of one answer must not stop the others.
            async for block in iterate_in_threadpool(self.day(day)):
                for start in range(0, len(block), CHUNK_BYTES):
                    yield block[start : start + CHUNK_BYTES]

    def day(self, day: dt.date) -> Iterator[bytes]:
        """The text of one day, block by block: a function of the world and the day alone.

        Raises:
            StreamCut: in the middle of a record, when the day is to be cut.
        """
        purchases = self._purchases(day)
        if day not in self.cut_days:
            yield from self._text(purchases)
            return
        half = len(purchases) // 2
        yield from self._text(purchases.rows(slice(0, half)))
        next_record = b"".join(self._text(purchases.rows(slice(half, half + 1))))
        yield next_record[: len(next_record) // 2]
        raise StreamCut

    def _purchases(self, day: dt.date) -> Purchases:
        count = self.config.base_daily_volume
        if self.options.volume == "formula":
            count = formula(self.seed, day, count)
        purchases = of_day(self.seed, day, count, tuple(self.config.peak_hours))
        return faults.apply(self.plan.rows(day), purchases)

    def _text(self, purchases: Purchases) -> Iterator[bytes]:
        blocks = wire.blocks(purchases)
        if self.config.noise_type is NoiseType.NONE or self.config.noise_level == 0:
            return blocks
        rng = stream(self.seed, Entity.NOISE, purchases.day.toordinal())
        return noisy(blocks, self.config.noise_type, self.config.noise_level, rng)
