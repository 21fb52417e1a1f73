"""The general ledger's service as a source: the one that is set, or the sandbox in its place."""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from clearhouse.core.errors import SettingsError, UsageError
from clearhouse.core.http import HttpPolicy
from clearhouse.core.not_json import NOT_JSON
from clearhouse.gl.lines_client import LinesClient, request_for
from clearhouse.pipeline.domain import Batch, Failure, Faults, Source
from clearhouse.pipeline.each_day import each_day
from clearhouse.settings import Settings

GL_SERVICE = "gl_service"
_SANDBOX_KEY = "sandbox-key-gl"


@dataclass
class LinesConnection:
    """A service that can be asked (`pipeline.domain.Followable`).

    Attributes:
        url: where it is; the sandbox is started when it is first asked for.
        after: by day, the line after which lines are wanted; of other days all.
        follows: days that are not over may be asked for.
    """

    identity: str
    notice: str
    url: Callable[[], str] = field(repr=False)
    key: str = field(repr=False)
    policy: HttpPolicy = field(default_factory=HttpPolicy)
    after: Mapping[dt.date, int] = field(default_factory=dict)
    follows: bool = False

    def requests(self, days: Sequence[dt.date]) -> Mapping[dt.date, Mapping[str, Any]]:
        """What would be asked for each of the days."""
        return {day: request_for(day, self.after.get(day, 0)) for day in days}

    def following(self, landed: Mapping[dt.date, Sequence[bytes]]) -> "LinesConnection":
        """The same, asked for lines after those that have landed. They come in order of their id.

        Args:
            landed: see `Followable`.
        """
        last = {day: max(map(_id_of, lines), default=0) for day, lines in landed.items()}
        return replace(self, after=last, follows=True)

    async def pull(self, days: Sequence[dt.date]) -> AsyncGenerator[Batch | Failure, None]:
        """Each day as soon as it is there."""
        async with LinesClient(self.url(), self.key, policy=self.policy) as client:

            async def ask(day: dt.date) -> Batch:
                after = self.after.get(day, 0)
                payload = await client.lines_of(day, after, follows=self.follows)
                return Batch(day, payload, request_for(day, after))

            async with aclosing(each_day(ask, days, self.policy.concurrency)) as found:
                async for answer in found:
                    yield answer


@contextmanager
def connect(settings: Settings, faults: Faults) -> Iterator[LinesConnection]:
    """The service that is set, or the sandbox for as long as the block lasts.

    Raises:
        UsageError: faults are asked of a real service.
        SettingsError: it is set without its key.
    """
    url = settings.gl_api_url
    if url:
        if faults:
            raise UsageError("Faults can be asked of the sandbox only: unset GL_API_URL.")
        yield LinesConnection(url.identity, "", url.for_client, _key(settings))
        return
    from clearhouse.sandbox.stand_in import stand_in

    notice = "GL_API_URL is not set: the sandbox stands in for the general ledger's service."
    with stand_in(GL_SERVICE, settings.gl_seed, faults) as (start, identity):
        yield LinesConnection(identity, notice, start, _SANDBOX_KEY)


def check(settings: Settings) -> str:
    """Ask the service for a day, with its key, and say so in one sentence.

    Raises:
        SourceError: it can't be reached, or refuses.
    """
    url = settings.gl_api_url
    if not url:
        return "GL_API_URL is not set: the sandbox stands in for the general ledger's service"

    async def ask() -> None:
        policy = HttpPolicy(attempts=2)
        async with LinesClient(url.for_client(), _key(settings), policy=policy) as client:
            await client.health()
            await client.lines_of(dt.date(2024, 1, 1))

    asyncio.run(ask())
    return "the general ledger's service answers at GL_API_URL"


class _Named(msgspec.Struct):
    gl_entry_id: int


_NAMED = msgspec.json.Decoder(_Named)


def _id_of(line: bytes) -> int:
    """The id of a line; of one that can't be read 0, so that the day is asked for whole."""
    try:
        return _NAMED.decode(line).gl_entry_id
    except NOT_JSON:
        return 0


def _key(settings: Settings) -> str:
    if settings.gl_api_key is None:
        raise SettingsError(
            "GL_API_URL is set and GL_API_KEY is not: set the key it is asked by (scope read)."
        )
    return settings.gl_api_key.get_secret_value()


SERVICE = Source(GL_SERVICE, connect, check)
