"""EIA as a source of the pipeline, a source a route: the one that is set, or the sandbox.

A pull of a day asks for the prices of the day and of the ten days before it: prices come late, and
some are revised. What comes again is known by its bytes. So a day that is run alone is asked for
the same as inside a year.
"""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from clearhouse.core.errors import SettingsError, UsageError
from clearhouse.core.http import HttpPolicy
from clearhouse.gl.eia import POLICY, EiaClient, Question
from clearhouse.pipeline.domain import Batch, Failure, Faults, Source
from clearhouse.pipeline.each_day import each_day
from clearhouse.settings import Settings

DAYS_BEFORE = 10


@dataclass(frozen=True)
class Route:
    """A route of EIA's, as a source.

    Attributes:
        name: of the source.
        path: of the route.
        series: those that are pulled.
    """

    name: str
    path: str
    series: tuple[str, ...]

    def question(self, day: dt.date) -> Question:
        """What a pull of a day asks."""
        return Question(self.path, self.series, day - dt.timedelta(days=DAYS_BEFORE), day)


ROUTES = (
    Route("eia_petroleum", "petroleum/pri/spt", ("RWTC", "RBRTE")),
    Route("eia_natural_gas", "natural-gas/pri/fut", ("RNGWHHD", "RNGC1")),
)


@dataclass
class EiaConnection:
    """A route that can be asked (`pipeline.domain.Connection`).

    Attributes:
        url: where EIA is; the sandbox is started when it is first asked for.
    """

    route: Route
    identity: str
    notice: str
    url: Callable[[], str] = field(repr=False)
    key: str = field(repr=False)
    policy: HttpPolicy = POLICY

    def requests(self, days: Sequence[dt.date]) -> Mapping[dt.date, Mapping[str, Any]]:
        """What would be asked for each of the days; the key is no part of it."""
        return {day: self.route.question(day).as_data for day in days}

    async def pull(self, days: Sequence[dt.date]) -> AsyncGenerator[Batch | Failure, None]:
        """Each day as soon as it is there."""
        async with EiaClient(self.url(), self.key, policy=self.policy) as client:

            async def ask(day: dt.date) -> Batch:
                question = self.route.question(day)
                return Batch(day, await client.rows(question), question.as_data)

            async with aclosing(each_day(ask, days, self.policy.concurrency)) as found:
                async for answer in found:
                    yield answer


def source_of(route: Route) -> Source:
    """A route as a source."""

    def connect(settings: Settings, faults: Faults) -> AbstractContextManager[EiaConnection]:
        return _connect(route, settings, faults)

    return Source(route.name, connect, lambda settings: _check(route, settings))


@contextmanager
def _connect(route: Route, settings: Settings, faults: Faults) -> Iterator[EiaConnection]:
    """The EIA that is set, or the sandbox for as long as the block lasts."""
    url = settings.eia_base_url
    if url:
        if faults:
            raise UsageError("Faults can be asked of the sandbox only: unset EIA_BASE_URL.")
        yield EiaConnection(route, url.identity, "", url.for_client, _key(settings))
        return
    from clearhouse.sandbox.eia.options import KEY
    from clearhouse.sandbox.stand_in import stand_in

    notice = f"EIA_BASE_URL is not set: the sandbox stands in for {route.name}."
    with stand_in(route.name, settings.gl_seed, faults) as (start, identity):
        yield EiaConnection(route, identity, notice, start, KEY, HttpPolicy())


def _check(route: Route, settings: Settings) -> str:
    """Ask EIA for a day, with the key, and say so in one sentence.

    Raises:
        SourceError: it can't be reached, or refuses.
    """
    url = settings.eia_base_url
    if not url:
        return f"EIA_BASE_URL is not set: the sandbox stands in for {route.name}"

    async def ask() -> None:
        policy = HttpPolicy(attempts=2)
        async with EiaClient(url.for_client(), _key(settings), policy=policy) as client:
            await client.rows(route.question(dt.date(2024, 1, 12)))

    asyncio.run(ask())
    return f"EIA answers for {route.name} at EIA_BASE_URL"


def _key(settings: Settings) -> str:
    if settings.eia_api_key is None:
        raise SettingsError("EIA_BASE_URL is set and EIA_API_KEY is not: set the key of EIA.")
    return settings.eia_api_key.get_secret_value()
