"""simtom as a source of the pipeline: the real one that is set, or the sandbox in its place."""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from clearhouse.bnpl.api_client import (
    BNPLAPIClient,
    DayBatch,
    DayFailure,
    pieces_of_range,
    request_for,
)
from clearhouse.bnpl.data_patterns import DataPattern, pattern_for
from clearhouse.core.errors import ClearhouseError, UsageError
from clearhouse.core.http import HttpPolicy
from clearhouse.core.window import Window
from clearhouse.pipeline.domain import Batch, Failure, Faults
from clearhouse.settings import Settings

SIMTOM = "simtom"


def pattern_of(settings: Settings) -> DataPattern:
    """What volume is asked for, and what is expected back."""
    return pattern_for(
        settings.pattern,
        settings.bnpl_seed,
        settings.bnpl_base_daily_volume,
        baseline="simtom" if settings.bnpl_api_url else "sandbox",
    )


@dataclass
class SimtomConnection:
    """A simtom that can be asked (`pipeline.domain.Connection`).

    Attributes:
        url: where it is; the sandbox is started when it is first asked for.
        ask_by: one request a day, or one for the whole window. simtom answers the two with
            different records, so a warehouse keeps to one.
    """

    identity: str
    notice: str
    url: Callable[[], str] = field(repr=False)
    pattern: DataPattern
    ask_by: str = "day"
    policy: HttpPolicy = field(default_factory=HttpPolicy)

    def requests(self, days: Sequence[dt.date]) -> Mapping[dt.date, Mapping[str, Any]]:
        """What would be asked for each of the days."""
        if self.ask_by == "range":
            ask = self.pattern.ask(min(days))
            volume = ask.base_daily_volume
            return {
                day: request_for(piece.first, piece.last, volume, ask.seed)
                for piece in pieces_of_range(Window(min(days), max(days)), volume)
                for day in piece
            }
        asks = [self.pattern.ask(day) for day in days]
        return {a.day: request_for(a.day, a.day, a.base_daily_volume, a.seed) for a in asks}

    async def pull(self, days: Sequence[dt.date]) -> AsyncGenerator[Batch | Failure, None]:
        """Each day as soon as it is there."""
        async with BNPLAPIClient(self.url(), policy=self.policy) as client:
            answers = self._by_range if self.ask_by == "range" else self._by_day
            async with aclosing(answers(client, days)) as found:
                async for answer in found:
                    if isinstance(answer, DayFailure):
                        yield Failure(answer.day, answer.error)
                    else:
                        yield Batch(answer.book_date, answer.payload, answer.request)

    def _by_day(
        self, client: BNPLAPIClient, days: Sequence[dt.date]
    ) -> AsyncGenerator[DayBatch | DayFailure, None]:
        return client.get_daily_batches(self.pattern.ask(day) for day in days)

    async def _by_range(
        self, client: BNPLAPIClient, days: Sequence[dt.date]
    ) -> AsyncGenerator[DayBatch | DayFailure, None]:
        ask = self.pattern.ask(min(days))
        try:
            batches = await client.get_bnpl_data(
                min(days), max(days), base_daily_volume=ask.base_daily_volume, seed=ask.seed
            )
        except ClearhouseError as error:
            for day in days:
                yield DayFailure(day, error)
            return
        wanted = set(days)
        for batch in batches:
            if batch.book_date in wanted:
                yield batch


@contextmanager
def connect(settings: Settings, faults: Faults) -> Iterator[SimtomConnection]:
    """The simtom that is set, or the sandbox for as long as the block lasts."""
    pattern = pattern_of(settings)
    policy = HttpPolicy(concurrency=settings.concurrency)
    url = settings.bnpl_api_url
    if url:
        if faults:
            raise UsageError("Faults can be asked of the sandbox only: unset BNPL_API_URL.")
        yield SimtomConnection(
            url.identity, "", url.for_client, pattern, settings.bnpl_ask_by, policy
        )
        return
    from clearhouse.sandbox.stand_in import stand_in

    notice = "BNPL_API_URL is not set: the sandbox stands in for simtom."
    with stand_in(SIMTOM, settings.bnpl_seed, faults) as (start, identity):
        yield SimtomConnection(identity, notice, start, pattern, settings.bnpl_ask_by, policy)


def check(settings: Settings) -> str:
    """Ask simtom who it is.

    Raises:
        SourceError: it can't be reached, or is no simtom with purchases.
    """
    url = settings.bnpl_api_url
    if not url:
        return "BNPL_API_URL is not set: the sandbox stands in for simtom"

    async def ask() -> str:
        async with BNPLAPIClient(url.for_client(), policy=HttpPolicy(attempts=2)) as client:
            info = await client.test_connection()
        return f"simtom {info.version} answers at BNPL_API_URL: {info.status}"

    return asyncio.run(ask())
