"""The client of simtom, the API that BNPL purchases come from.

Data flow: `POST /stream/bnpl` answers with one `data: {json}` line and a blank line per record;
    the JSON texts, byte for byte, become the NDJSON payload of a `DayBatch`. Nothing here decodes
    a record: its meaning is the contract's business.
Grain: one batch per day asked for, one line per record.
Idempotency: the same ask of an unchanged source gives the same bytes. A day asked alone and the
    same day inside a range are not the same records, so that one pipeline uses one of the two.
How to run: `async with BNPLAPIClient(url) as client: await client.get_daily_batch(day, ...)`.

What a stream must be to be kept: whole. simtom says nothing at its end, so a stream is taken
only if its transfer ended as HTTP says, every line is a record, and the last record is complete.
Anything else is asked for again and at last fails; a clean short day is left to the gate.
"""

import asyncio
import datetime as dt
import re
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from itertools import islice, pairwise
from types import TracebackType
from typing import Any, Self

import httpx
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.bnpl.data_patterns import DayAsk
from clearhouse.core.errors import ClearhouseError, SourceError
from clearhouse.core.http import HttpPolicy, ResilientClient, RetryableAnswer, read_bounded
from clearhouse.core.window import Window

NAME = "simtom"
GENERATOR = "bnpl"
STREAM_PATH = f"/stream/{GENERATOR}"

MAX_ANSWER_BYTES = 256 << 20
"""A config that some simtom reads as one without an end streams for ever; this ends it."""

_PREFIX, _END = b"data: ", b"\n\n"
_BETWEEN = re.compile(rb"\n\ndata: (?!\n)")  # an empty record is none
_EXTRA_BLANK_LINES = re.compile(rb"\n{3,}")
_LONG_AGO = -(1 << 31)
_DAY_OF_RECORD = r'"_timestamp":\s*"(?P<day>\d{4}-\d{2}-\d{2})'


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


class BNPLAPIClient:
    """Pulls BNPL purchases from any simtom, a real one or the sandbox.

    Args:
        base_url: where it is.
        policy: patience, pace and the number of days asked for side by side.
        max_bytes: bound on one answer.
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
            SourceError: all attempts were used up, or the source refused; nothing is kept.
        """
        request = request_for(day, day, base_daily_volume, seed)
        payload, records = await self._pull(request)
        return DayBatch(day, payload, records, request)

    async def get_daily_batches(
        self, asks: Iterable[DayAsk]
    ) -> AsyncGenerator[DayBatch | DayFailure, None]:
        """Many days side by side, each as soon as it is there, in no order.

        At most `policy.concurrency` days are under way or waiting to be taken, so that a slow
        reader slows the source and does not fill the memory. A failed day is an item like the
        others. Close the generator (`contextlib.aclosing`) to leave early.
        """
        waiting = iter(asks)
        pulls = {
            asyncio.create_task(self._day_or_failure(ask))
            for ask in islice(waiting, self._http.policy.concurrency)
        }
        try:
            while pulls:
                done, pulls = await asyncio.wait(pulls, return_when=asyncio.FIRST_COMPLETED)
                pulls |= {
                    asyncio.create_task(self._day_or_failure(ask))
                    for ask in islice(waiting, len(done))
                }
                for pull in done:
                    yield pull.result()
        finally:
            for pull in pulls:
                pull.cancel()
            await asyncio.gather(*pulls, return_exceptions=True)

    async def get_bnpl_data(
        self, first: dt.date, last: dt.date, *, base_daily_volume: int, seed: int | None
    ) -> list[DayBatch]:
        """The days from first to last, both included, by one request, split by `_timestamp`.

        Each day of the range has a batch, maybe an empty one, in order. A record that is dated
        outside the range goes to the nearest day of it; one whose date can't be read goes to
        the first day, so that it is counted and quarantined there, not lost.

        Raises:
            UsageError: last is before first.
            SourceError: as for `get_daily_batch`; simtom gives at most 365 days at once.
        """
        window = Window(first, last)
        request = request_for(first, last, base_daily_volume, seed)
        payload, _ = await self._pull(request)
        return [
            DayBatch(day, lines, lines.count(b"\n"), request)
            for day, lines in zip(window, split_by_day(payload, window), strict=True)
        ]

    async def _day_or_failure(self, ask: DayAsk) -> DayBatch | DayFailure:
        try:
            return await self.get_daily_batch(
                ask.day, base_daily_volume=ask.base_daily_volume, seed=ask.seed
            )
        except ClearhouseError as error:
            return DayFailure(ask.day, error)

    async def _pull(self, request: dict[str, Any]) -> tuple[bytes, int]:
        async def consume(response: httpx.Response) -> tuple[bytes, int]:
            if "html" in response.headers.get("Content-Type", ""):
                raise RetryableAnswer("it is an HTML page, not a stream of records")
            return unframe(await read_bounded(response, self._max_bytes))

        return await self._http.exchange(
            "POST", request["path"], json=request["json"], consume=consume
        )


def unframe(stream: bytes) -> tuple[bytes, int]:
    """NDJSON and its number of records from a whole `data: {json}` stream.

    The records' bytes are untouched, carriage returns and all. Further blank lines between
    records mean nothing and are dropped. An empty stream is a day without records.

    Raises:
        RetryableAnswer: a line is not a record, or the last record is not complete.
    """
    found = _whole_records(stream)
    if found is None:
        stream = _EXTRA_BLANK_LINES.sub(_END, stream.lstrip(b"\n"))
        found = _whole_records(stream)
    if not stream:
        return b"", 0
    if found is None:
        raise RetryableAnswer(_fault(stream))
    return found


def _whole_records(stream: bytes) -> tuple[bytes, int] | None:
    """The records, a line each, and their number, if the stream is nothing but complete ones.

    Where each separator ends one record and begins the next, as many line feeds are left as there
    are records: so every line begins as it should. Replacing and counting run at memory speed,
    where a loop over lines would not.
    """
    if not (stream.startswith(_PREFIX) and stream.endswith(_END)):
        return None
    lines, separators = _BETWEEN.subn(b"\n", memoryview(stream)[len(_PREFIX) : -1])
    records = separators + 1
    if lines.startswith(b"\n") or stream.count(b"\n") != 2 * records:
        return None
    return lines, records


def _fault(stream: bytes) -> str:
    """What is wrong with a stream that is not nothing but complete records."""
    if stream[:256].lstrip().lower().startswith((b"<!doctype", b"<html")):
        return "it is an HTML page, not a stream of records"
    if not stream.endswith(_END):
        return "it ends in the middle of a record"
    if _PREFIX + b"\n" in stream:
        return "a record of it is empty"
    return "a line of it does not begin with 'data: ' or is not followed by a blank line"


def split_by_day(payload: bytes, window: Window) -> list[bytes]:
    """The lines of an NDJSON payload by the date of their `_timestamp`, one part per day.

    Lines keep their order within a day. For dates outside the window and unreadable ones see
    `BNPLAPIClient.get_bnpl_data`.
    """
    if not payload:
        return [b""] * len(window)
    ends = np.flatnonzero(np.frombuffer(payload, dtype=np.uint8) == ord("\n")) + 1
    offsets = np.concatenate(([0], ends)).astype(np.int64)
    lines = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(payload)]
    )
    day_of_line = _day_of_line(lines, window)
    in_day_order = lines.take(pa.array(np.argsort(day_of_line, kind="stable")))
    _, line_starts, data = in_day_order.buffers()
    starts = np.frombuffer(line_starts, dtype=np.int64)[: len(lines) + 1]
    bounds = np.concatenate(([0], np.cumsum(np.bincount(day_of_line, minlength=len(window)))))
    return [
        data[int(starts[low]) : int(starts[high])].to_pybytes() for low, high in pairwise(bounds)
    ]


def _day_of_line(lines: Any, window: Window) -> npt.NDArray[np.int64]:
    """For each line the index of its day in the window."""
    text = pc.struct_field(pc.extract_regex(lines, pattern=_DAY_OF_RECORD), "day")
    parsed = pc.strptime(
        pc.cast(text, pa.string()), format="%Y-%m-%d", unit="s", error_is_null=True
    )
    days = pc.fill_null(pc.cast(pc.cast(parsed, pa.date32()), pa.int32()), _LONG_AGO)
    first = (window.first - dt.date(1970, 1, 1)).days
    index: npt.NDArray[np.int64] = np.asarray(days.to_numpy(zero_copy_only=False), dtype=np.int64)
    return np.clip(index - first, 0, len(window) - 1)
