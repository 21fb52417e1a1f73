"""The retailers as sources of the pipeline: those that are set, or the sandbox in their place."""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from clearhouse.core.errors import SettingsError, UsageError
from clearhouse.core.http import HttpPolicy
from clearhouse.core.urls import SecretUrl
from clearhouse.pipeline.domain import Batch, Failure, Faults, Source
from clearhouse.pipeline.each_day import each_day
from clearhouse.retail.retailers import Retailer, RetailerClient
from clearhouse.settings import Settings


@dataclass
class RetailerConnection:
    """A retailer that can be asked (`pipeline.domain.Connection`).

    Attributes:
        url: where it is; the sandbox is started when it is first asked for.
    """

    retailer: Retailer
    identity: str
    notice: str
    url: Callable[[], str] = field(repr=False)
    key: str = field(repr=False)
    policy: HttpPolicy = field(default_factory=HttpPolicy)

    def requests(self, days: Sequence[dt.date]) -> Mapping[dt.date, Mapping[str, Any]]:
        """What would be asked for each of the days."""
        return {day: self.retailer.request(day) for day in days}

    async def pull(self, days: Sequence[dt.date]) -> AsyncGenerator[Batch | Failure, None]:
        """Each day as soon as it is there."""
        async with RetailerClient(
            self.retailer, self.url(), self.key, policy=self.policy
        ) as client:

            async def ask(day: dt.date) -> Batch:
                return Batch(day, await client.sales_of(day), self.retailer.request(day))

            async with aclosing(each_day(ask, days, self.policy.concurrency)) as found:
                async for answer in found:
                    yield answer


def source_of(retailer: Retailer) -> Source:
    """A retailer as a source."""

    def connect(settings: Settings, faults: Faults) -> AbstractContextManager[RetailerConnection]:
        return _connect(retailer, settings, faults)

    return Source(retailer.name, connect, lambda settings: _check(retailer, settings))


@contextmanager
def _connect(
    retailer: Retailer, settings: Settings, faults: Faults
) -> Iterator[RetailerConnection]:
    """The retailer that is set, or the sandbox for as long as the block lasts."""
    url = _url(retailer, settings)
    if url:
        if faults:
            raise UsageError(
                f"Faults can be asked of the sandbox only: unset {retailer.name.upper()}_URL."
            )
        yield RetailerConnection(
            retailer, url.identity, "", url.for_client, _key(retailer, settings)
        )
        return
    from clearhouse.sandbox.retail.options import KEYS
    from clearhouse.sandbox.stand_in import stand_in

    notice = f"{retailer.name.upper()}_URL is not set: the sandbox stands in for {retailer.name}."
    with stand_in(retailer.name, settings.retail_seed, faults) as (start, identity):
        yield RetailerConnection(retailer, identity, notice, start, KEYS[retailer.name])


def _check(retailer: Retailer, settings: Settings) -> str:
    """Ask a retailer for a day, with its key, and say so in one sentence.

    Raises:
        SourceError: it can't be reached, or refuses.
    """
    name = retailer.name.upper()
    url = _url(retailer, settings)
    if not url:
        return f"{name}_URL is not set: the sandbox stands in for {retailer.name}"

    async def ask() -> None:
        policy = HttpPolicy(attempts=2)
        key = _key(retailer, settings)
        async with RetailerClient(retailer, url.for_client(), key, policy=policy) as client:
            await client.health()
            await client.sales_of(dt.date(2024, 1, 1))

    asyncio.run(ask())
    return f"{retailer.name} answers at {name}_URL"


def _url(retailer: Retailer, settings: Settings) -> SecretUrl | None:
    url: SecretUrl | None = getattr(settings, f"{retailer.name}_url")
    return url


def _key(retailer: Retailer, settings: Settings) -> str:
    key = getattr(settings, f"{retailer.name}_key")
    if key is None:
        name = retailer.name.upper()
        raise SettingsError(f"{name}_URL is set and {name}_KEY is not: set the key it is asked by.")
    return str(key.get_secret_value())
