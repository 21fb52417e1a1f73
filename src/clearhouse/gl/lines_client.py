"""The client of a general ledger's service: the lines that were recorded on a day.

Data flow: `GET /v1/lines/export?recorded_on=DAY&format=ndjson` answers with the day's lines.
Grain: one answer a day, one JSON object a line, in the order of recording.
Idempotency: what is recorded is never changed, so that a day that is over gives the same bytes.
How to run: `async with LinesClient(url, key) as client: await client.lines_of(day)`.

An answer is kept if it is NDJSON, ends behind a line, and has as many lines as `X-Record-Count`
says. A day without lines has an empty answer with the count 0. A day after `X-Whole-Through` is
still being recorded: it is followed, and not kept as a whole one.
"""

import datetime as dt
from typing import Any

import httpx

from clearhouse.core.answer import RetryableAnswer, read_bounded
from clearhouse.core.errors import SourceError
from clearhouse.core.http import HttpPolicy, ResilientClient

MAX_ANSWER_BYTES = 1 << 30
"""Some half a million lines: a day of a large operator has ten thousand."""
_COUNT = "X-Record-Count"
_WHOLE_THROUGH = "X-Whole-Through"
_NDJSON = "application/x-ndjson"


def request_for(day: dt.date, after: int = 0) -> dict[str, Any]:
    """What is asked for a day, as JSON can hold it.

    Args:
        day: on which lines were recorded.
        after: gl_entry_id of the line before the first one that is wanted; 0: from the first on.
    """
    cursor = {"after": str(after)} if after else {}
    return {
        "method": "GET",
        "path": "v1/lines/export",
        "params": {"recorded_on": str(day), "format": "ndjson", **cursor},
    }


class LinesClient(ResilientClient):
    """Asks a general ledger's service.

    Args:
        base_url: where it is.
        key: by which it knows us: its X-API-Key.
        policy: patience, pace and the number of days asked for side by side.
        transport: another way to it, for tests.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        policy: HttpPolicy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(
            base_url,
            name="the general ledger's service",
            policy=policy,
            headers={"X-API-Key": key},
            transport=transport,
        )

    async def lines_of(self, day: dt.date, after: int = 0, *, follows: bool = False) -> bytes:
        """The lines recorded on a day as NDJSON, all of them or those after one.

        Args:
            day: on which lines were recorded.
            after: see `request_for`.
            follows: what there is by now is wanted, and not a day that is over.

        Raises:
            SourceError: see `ResilientClient.exchange`; without a valid key, or one that may read
                lines, source_refused; of a day that is not over, day_not_over.
        """

        async def consume(response: httpx.Response) -> bytes:
            if not follows:
                _see_that_it_is_over(response, day)
            payload = await read_bounded(response, MAX_ANSWER_BYTES)
            _see_that_it_is_whole(response, payload)
            return payload

        return await self.exchange(**request_for(day, after), consume=consume)

    async def health(self) -> None:
        """See that it is ready: `GET /health/ready`, which needs no key.

        Raises:
            SourceError: it is not.
        """
        await self.request_json("GET", "health/ready")


def _see_that_it_is_over(response: httpx.Response, day: dt.date) -> None:
    through = response.headers.get(_WHOLE_THROUGH)
    if through is not None and str(day) > through:  # dates of ISO 8601 sort as texts
        raise SourceError(
            f"The general ledger still records on {day}: follow it with "
            f"`clearhouse step gl ingest_gl_stream --date {day}`, and pull it when it is over.",
            "day_not_over",
        )


def _see_that_it_is_whole(response: httpx.Response, payload: bytes) -> None:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != _NDJSON:
        raise RetryableAnswer(f"it is {kind or 'of no type'}, and not {_NDJSON}")
    stated = response.headers.get(_COUNT, "")
    if not (stated.isascii() and stated.isdigit()):
        raise RetryableAnswer(f"it does not say how many lines it has ({_COUNT})")
    if payload and not payload.endswith(b"\n"):
        raise RetryableAnswer("it ends within a line")
    found = payload.count(b"\n")
    if found != int(stated):
        raise RetryableAnswer(f"it says that it has {stated} lines and has {found}")
