"""The objects that thin events name: asked for at Stripe's API, and recorded in landing.

What was fetched is part of what happened: a replay reads it from landing and does not ask again.
"""

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import httpx
import msgspec

from clearhouse.core.answer import RetryableAnswer, read_bounded
from clearhouse.core.errors import SourceError
from clearhouse.core.event_loops import loop_factory
from clearhouse.core.http import HttpPolicy, ResilientClient
from clearhouse.core.not_json import NOT_JSON, with_whole_characters
from clearhouse.landing.store import Landing
from clearhouse.log.log import Record
from clearhouse.payments.normalizing import Fetched
from clearhouse.payments.providers.stripe import Thin

SOURCE = "stripe_objects"
"""The name in landing."""
_API_VERSION = "2026-06-24.dahlia"
"""Asked for by name: the account's default can change at any time."""
_POLICY = HttpPolicy(
    attempts=4,
    wait_max_seconds=5.0,
    retry_after_max_seconds=30.0,
    read_timeout_seconds=10.0,
    attempt_timeout_seconds=20.0,
    total_timeout_seconds=60.0,
    requests_per_second=80.0,  # Stripe takes 100 a second in live mode
    concurrency=8,
)
_MOST_BYTES = 1 << 20
_FORBIDDEN, _NOT_FOUND = 403, 404


class Fetcher(Protocol):
    """Asks for objects."""

    def fetch(self, wanted: Sequence[Thin]) -> list["Fetched | SourceError"]:
        """The JSON of each object; an error for each that was not given.

        After an error that is of more than the one object the later ones may be missing.
        """
        ...

    def close(self) -> None:
        """Close connections."""
        ...


class StripeObjects:
    """A fetcher at Stripe's API. For one thread.

    Args:
        url: of the API.
        key: a secret or restricted key.
        policy: time-outs, retries, limits.
        transport: another way to it, for tests.
    """

    def __init__(
        self,
        url: str,
        key: str,
        policy: HttpPolicy = _POLICY,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._runner = asyncio.Runner(loop_factory=loop_factory())
        self._client = ResilientClient(
            url,
            name="Stripe's API",
            policy=policy,
            headers={"Authorization": f"Bearer {key}", "Stripe-Version": _API_VERSION},
            transport=transport,
        )

    def fetch(self, wanted: Sequence[Thin]) -> list[Fetched | SourceError]:
        """See `Fetcher.fetch`. They are asked for side by side."""
        return self._runner.run(self._fetch(wanted))

    def close(self) -> None:
        """See `Fetcher.close`."""
        self._runner.run(self._client.__aexit__(None, None, None))
        self._runner.close()

    async def _fetch(self, wanted: Sequence[Thin]) -> list[Fetched | SourceError]:
        return list(await asyncio.gather(*(self._one(each) for each in wanted)))

    async def _one(self, thin: Thin) -> Fetched | SourceError:
        headers = {"Stripe-Account": thin.account} if thin.account else None
        try:
            return await self._client.exchange("GET", thin.path, consume=_json, headers=headers)
        except SourceError as error:
            return error


def is_gone(error: SourceError) -> bool:
    """Whether the API says that it has no such object."""
    return error.status == _NOT_FOUND


def is_refused(error: SourceError) -> bool:
    """Whether the API says that the key may not see the object.

    Its account is no longer connected, or the key is a restricted one. Others can be seen with it,
    which a key that is not good at all (401) can't.
    """
    return error.status == _FORBIDDEN


async def _json(response: httpx.Response) -> bytes:
    body = with_whole_characters(await read_bounded(response, _MOST_BYTES))
    try:
        msgspec.json.decode(body)
    except NOT_JSON:
        raise RetryableAnswer("it is not JSON") from None
    return body


class _Line(msgspec.Struct):
    """One fetch, as landing keeps it. `object` is null where it was gone."""

    webhook_position: int
    path: str
    account: str
    fetched_at: dt.datetime
    object: msgspec.Raw


_ENCODER = msgspec.json.Encoder()
_LINE = msgspec.json.Decoder(_Line)


Answers = Sequence[Fetched | None]
"""What was fetched for one webhook, the latest first; None: it was gone."""


class FetchRecords:
    """What was fetched, in landing by the book date of the webhook."""

    def __init__(self, landing: Landing, now: Callable[[], dt.datetime]) -> None:
        self._landing = landing
        self._now = now

    def keep(self, fetched: Iterable[tuple[Record, Thin, Fetched | None]]) -> None:
        """Land what was fetched for records, in the order of their positions; None: it is gone.

        Raises:
            StoreError, ServerError: it can't be landed.
        """
        days: dict[dt.date, list[_Line]] = {}
        for record, thin, answer in fetched:
            raw = msgspec.Raw(answer or b"null")
            line = _Line(record.position, thin.path, thin.account, self._now(), raw)
            days.setdefault(record.appended_at.date(), []).append(line)
        for day, lines in days.items():
            payload = _ENCODER.encode_lines(lines)
            first = lines[0].webhook_position
            self._landing.put_numbered(SOURCE, day, first, payload, {"first_position": first})

    def of(self, day: dt.date) -> Mapping[int, Answers]:
        """What was fetched for the webhooks of a day, by position.

        There is more than one where a process fetched and did not commit: it ended, or another had
        the webhook by then. The latest need not be the one that was committed.
        """
        lines = [
            line
            for landed in self._landing.objects(SOURCE, day)
            for line in map(_LINE.decode, self._landing.read(landed).splitlines())
        ]
        found: dict[int, list[Fetched | None]] = defaultdict(list)
        for line in sorted(lines, key=lambda line: line.fetched_at, reverse=True):
            answer = bytes(line.object)
            found[line.webhook_position].append(None if answer == b"null" else answer)
        return found
