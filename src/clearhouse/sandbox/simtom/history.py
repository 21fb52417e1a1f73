"""The answer to a request with both dates: whole days, one after the other."""

import datetime as dt
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import anyio
from starlette.concurrency import iterate_in_threadpool

from clearhouse.core.window import Window
from clearhouse.sandbox.faults import TRUNCATED_STREAM, UNENDED_STREAM, FaultPlan
from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.rng import Entity, stream
from clearhouse.sandbox.simtom import faults, record_faults, wire
from clearhouse.sandbox.simtom.config import GeneratorConfig, NoiseType
from clearhouse.sandbox.simtom.noise import noisy
from clearhouse.sandbox.simtom.purchases import Purchases, of_day
from clearhouse.sandbox.simtom.volume import formula

CHUNK_BYTES = 256 * 1024
_SLOW_PARTS = 4


class StreamCut(Exception):  # noqa: N818
    """The connection is dropped here: what follows is not sent, nor is the last chunk."""


@dataclass(frozen=True)
class Accident:
    """What happens to one answer on its way.

    Attributes:
        slow: days that are sent with rests.
        ends: days at which the stream breaks off, and by which wire fault.
        later: days that were given whole before.
    """

    slow: frozenset[dt.date] = frozenset()
    ends: Mapping[dt.date, str] = field(default_factory=lambda: MappingProxyType({}))
    later: frozenset[dt.date] = frozenset()


@dataclass(frozen=True)
class History:
    """The days of one request of one world."""

    seed: int
    config: GeneratorConfig
    options: SandboxOptions
    plan: FaultPlan
    accident: Accident

    async def chunks(self, window: Window) -> AsyncIterator[bytes]:
        """The text of the days, in chunks of at most CHUNK_BYTES.

        Raises:
            StreamCut: when it comes to a day that ends with a dropped connection.
        """
        for day in window:
            if day != window.first and self.options.pause_seconds:
                await anyio.sleep(self.options.pause_seconds)
            # In a thread: the generation of one answer must not stop the others.
            async for block in iterate_in_threadpool(self.day(day)):
                if day in self.accident.slow:
                    await anyio.sleep(self.options.slow_seconds)
                for start in range(0, len(block), CHUNK_BYTES):
                    yield block[start : start + CHUNK_BYTES]
            if self.accident.ends.get(day) == TRUNCATED_STREAM:
                return

    def day(self, day: dt.date) -> Iterator[bytes]:
        """The text of one day, block by block: a function of world, day and accident alone.

        Raises:
            StreamCut: where the connection is to be dropped.
        """
        end = self.accident.ends.get(day)
        text = self._text(day)
        if end is None:
            yield from _in_parts(b"".join(text)) if day in self.accident.slow else text
            return
        if end == UNENDED_STREAM:
            yield from text
            raise StreamCut
        yield _to_mid_record(b"".join(text))
        if end != TRUNCATED_STREAM:
            raise StreamCut

    def _text(self, day: dt.date) -> Iterator[bytes]:
        kinds = self.plan.rows(day)
        blocks = self._noisy(self._purchases(day, kinds))
        if not record_faults.RECORD_FAULTS.keys() & kinds:
            yield from blocks
            return
        texts = record_faults.split(b"".join(blocks))
        whole = record_faults.Day(day, self.options.seed, texts)
        yield record_faults.join(record_faults.apply(kinds, self.seed, whole))

    def _purchases(self, day: dt.date, kinds: list[str]) -> Purchases:
        count = self.config.base_daily_volume
        if self.options.volume == "formula":
            count = formula(self.seed, day, count)
        purchases = of_day(self.seed, day, count, tuple(self.config.peak_hours))
        return faults.apply(kinds, purchases, is_later=day in self.accident.later)

    def _noisy(self, purchases: Purchases) -> Iterator[bytes]:
        blocks = wire.blocks(purchases)
        if self.config.noise_type is NoiseType.NONE or self.config.noise_level == 0:
            return blocks
        rng = stream(self.seed, Entity.NOISE, purchases.day.toordinal())
        return noisy(blocks, self.config.noise_type, self.config.noise_level, rng)


def _in_parts(text: bytes) -> Iterator[bytes]:
    size = max(1, math.ceil(len(text) / _SLOW_PARTS))
    for start in range(0, len(text), size):
        yield text[start : start + size]


def _to_mid_record(text: bytes) -> bytes:
    """The first half of the records and half of the next one."""
    records = record_faults.split(text)
    half = len(records) // 2
    whole, cut = records[:half], record_faults.join(records[half : half + 1])
    return record_faults.join(whole) + cut[: len(cut) // 2]
