"""The client of simtom, the API that BNPL purchases come from.

Data flow: `POST /stream/bnpl` answers with a stream of records (`core.event_stream`).
    Their JSON, byte for byte, becomes the NDJSON payload of a `DayBatch`. Nothing here decodes a
    record: its meaning is the contract's business.
Grain: one batch per day asked for, one line per record.
Idempotency: the same requests, one at a time, of an unchanged source give the same bytes. Requests
    side by side of a real simtom do not: they share its random numbers. A day asked alone and the
    same day inside a range are not the same records, so that one pipeline uses one of the two.
How to run: `async with BNPLAPIClient(url) as client: await client.get_daily_batch(day, ...)`.

What an answer must be to be kept: whole. simtom says nothing at its end, so a stream is taken
only if its transfer ended as HTTP says, every line is a record, and the last record is complete.
Anything else is asked for again and at last fails; a clean short day is left to the gate.

How much is asked for at once follows from the volume asked for, before asking: a range is split
into pieces that stay below half of `MAX_ANSWER_BYTES` and 365 days, and a day that would be larger
than `MAX_DAY_BYTES` is refused.
"""

import datetime as dt
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from clearhouse.bnpl.data_patterns import DayAsk
from clearhouse.core.answer import RetryableAnswer, read_bounded
from clearhouse.core.errors import ClearhouseError, SourceError, UsageError
from clearhouse.core.event_stream import split_by_day, unframe
from clearhouse.core.http import HttpPolicy, ResilientClient
from clearhouse.core.side_by_side import side_by_side
from clearhouse.core.window import Window

NAME = "simtom"
GENERATOR = "bnpl"
STREAM_PATH = f"/stream/{GENERATOR}"
_DATED_BY = "_timestamp"

MAX_ANSWER_BYTES = 256 << 20
"""A config that some simtom reads as one without an end streams for ever; this ends it. Where a
single day was asked to be larger, `_SLACK` times what it should have is the bound."""

MAX_DAY_BYTES = 4 << 30
"""A day is held in memory as a whole."""

MAX_RANGE_DAYS = 365
"""simtom refuses longer ranges."""

_RECORD_BYTES = 1_400
_RECORDS_PER_SECOND = 2_000
_DAY_PAUSE_SECONDS = 1.0
"""What simtom's answers measure; its pause is between the days of a range."""
_SLACK = 4
"""How many times as large or slow as measured a healthy answer may be: its busiest day has 2.8
times the volume asked for."""


@dataclass(frozen=True, slots=True)
class DayBatch:
    """What a source gave for one day, whole.

    `payload` is NDJSON: the text of each record as it was sent, each ended by a newline.
    `request` is what was asked, as `request_for` gives it.
    """

    book_date: dt.date
    payload: bytes = field(repr=False)
    records: int
    request: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class DayFailure:
    """A day that the source did not give, and why; nothing of it was kept."""

    day: dt.date
    error: ClearhouseError


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """What a simtom says of itself."""

    status: str
    version: str
    generators: tuple[str, ...]


def request_for(
    first: dt.date, last: dt.date, base_daily_volume: int, seed: int | None
) -> dict[str, Any]:
    """What is asked for these days: path and JSON body, as a batch's `request` repeats it.

    Both dates always: without them the stream has no end.
    """
    return {
        "path": STREAM_PATH,
        "json": {
            "start_date": first.isoformat(),
            "end_date": last.isoformat(),
            "base_daily_volume": base_daily_volume,
            "seed": seed,
        },
    }


def pieces_of_range(window: Window, base_daily_volume: int) -> Iterator[Window]:
    """The windows that a range is asked for by, in order: the same ones for the same arguments.

    Raises:
        UsageError: a single day would be too large.
    """
    _check_size_of_day(base_daily_volume)
    bytes_per_day = base_daily_volume * _RECORD_BYTES
    days = max(1, min(MAX_RANGE_DAYS, MAX_ANSWER_BYTES // 2 // bytes_per_day))
    first = window.first
    while first <= window.last:
        last = min(first + dt.timedelta(days=days - 1), window.last)
        yield Window(first, last)
        first = last + dt.timedelta(days=1)


def _check_size_of_day(base_daily_volume: int) -> None:
    most = MAX_DAY_BYTES // _RECORD_BYTES
    if base_daily_volume > most:
        raise UsageError(
            f"A day of {base_daily_volume} records does not fit in memory: set "
            f"BNPL_BASE_DAILY_VOLUME to at most {most}.",
            "day_too_large",
        )


class BNPLAPIClient:
    """Pulls BNPL purchases from any simtom, a real one or the sandbox.

    Args:
        base_url: where it is.
        policy: patience, pace and the number of days asked for side by side.
        max_bytes: bound on an answer of ordinary size.
        transport: another way to the source, for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        policy: HttpPolicy | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = ResilientClient(base_url, name=NAME, policy=policy, transport=transport)
        self._max_bytes = max_bytes

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._http.__aexit__(exc_type, exc, traceback)

    async def test_connection(self) -> ServiceInfo:
        """Ask the source who it is.

        Raises:
            SourceError: it can't be reached, is no simtom (source_not_simtom), or has no BNPL
                generator (generator_missing).
        """
        health = await self._http.request_json("GET", "/")
        generators = await self._http.request_json("GET", "/generators")
        try:
            info = ServiceInfo(
                status=str(health["status"]),
                version=str(health["version"]),
                generators=tuple(str(generator["name"]) for generator in generators),
            )
        except (KeyError, TypeError):
            raise SourceError(
                "What answers at the BNPL API's URL is no simtom: check BNPL_API_URL.",
                "source_not_simtom",
            ) from None
        if GENERATOR not in info.generators:
            raise SourceError(
                f"This simtom has no generator {GENERATOR!r} (it has "
                f"{', '.join(info.generators) or 'none'}): point BNPL_API_URL at one that has.",
                "generator_missing",
            )
        return info

    async def get_daily_batch(
        self, day: dt.date, *, base_daily_volume: int, seed: int | None
    ) -> DayBatch:
        """One day by one request; every record of the answer belongs to it, whatever its date.

        Args:
            day: the book date.
            base_daily_volume: records of an ordinary day, before the source's own seasons.
            seed: makes the answer repeatable; None leaves it to chance.

        Raises:
            UsageError: the day would be too large.
            SourceError: all attempts were used up, or the source refused; nothing is kept.
        """
        _check_size_of_day(base_daily_volume)
        request = request_for(day, day, base_daily_volume, seed)
        payload, records = await self._pull(request, days=1)
        return DayBatch(day, payload, records, request)

    def get_daily_batches(
        self, asks: Iterable[DayAsk]
    ) -> AsyncGenerator[DayBatch | DayFailure, None]:
        """Many days, `policy.concurrency` at a time, each as soon as it is there, in no order.

        A failed day is an item like the others.
        """
        return side_by_side(self._day_or_failure, asks, self._http.policy.concurrency)

    async def get_bnpl_data(
        self, first: dt.date, last: dt.date, *, base_daily_volume: int, seed: int | None
    ) -> list[DayBatch]:
        """The days from first to last, both included, by as few requests as there may be.

        The requests are those of `pieces_of_range`, one after the other with the same seed, each
        split by `_timestamp`. Each day has a batch, maybe an empty one, in order, and the request
        of its piece. A record that is dated outside its piece goes to the nearest day of it; one
        whose date can't be read goes to the first day, so that it is counted and quarantined
        there, not lost.

        Raises:
            UsageError: last is before first, or a single day would be too large.
            SourceError: as for `get_daily_batch`.
        """
        batches: list[DayBatch] = []
        for piece in pieces_of_range(Window(first, last), base_daily_volume):
            request = request_for(piece.first, piece.last, base_daily_volume, seed)
            payload, _ = await self._pull(request, days=len(piece))
            batches += (
                DayBatch(day, lines, lines.count(b"\n"), request)
                for day, lines in zip(piece, split_by_day(payload, piece, _DATED_BY), strict=True)
            )
        return batches

    async def _day_or_failure(self, ask: DayAsk) -> DayBatch | DayFailure:
        try:
            return await self.get_daily_batch(
                ask.day, base_daily_volume=ask.base_daily_volume, seed=ask.seed
            )
        except ClearhouseError as error:
            return DayFailure(ask.day, error)

    async def _pull(self, request: dict[str, Any], days: int) -> tuple[bytes, int]:
        records = request["json"]["base_daily_volume"] * days
        max_bytes = max(self._max_bytes, _SLACK * records * _RECORD_BYTES)
        seconds = records / _RECORDS_PER_SECOND + (days - 1) * _DAY_PAUSE_SECONDS

        async def consume(response: httpx.Response) -> tuple[bytes, int]:
            if "html" in response.headers.get("Content-Type", ""):
                raise RetryableAnswer("it is an HTML page, not a stream of records")
            return unframe(await read_bounded(response, max_bytes))

        return await self._http.exchange(
            "POST",
            request["path"],
            json=request["json"],
            consume=consume,
            extra_seconds=_SLACK * seconds,
        )
