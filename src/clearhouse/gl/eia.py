"""The client of EIA's API v2, which energy prices come from.

Data flow: `GET /v2/{route}/data/` answers with some series' values between two periods.
Grain: one batch per question; one row per series and period.
Idempotency: the same question gives the same rows, until EIA revises one.
How to run: `async with EiaClient(url, key) as client: await client.rows(question)`.

The key works only in the query string, and an answer repeats it: what is kept of an answer is its
member `response`. Values are strings. At most 5,000 rows come at once, so that a question takes
several requests where EIA has more. A page is kept when it has as many rows as `total` leaves for
it; one with fewer is cut, whether EIA warns of it or not, and is asked for again.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from clearhouse.core.answer import RetryableAnswer, read_bounded
from clearhouse.core.errors import SourceError
from clearhouse.core.http import HttpPolicy, ResilientClient
from clearhouse.core.not_json import NOT_JSON

MAX_ROWS = 5_000
_MAX_ANSWER_BYTES = 16 << 20

POLICY = HttpPolicy(requests_per_second=1.2, concurrency=2)
"""EIA bears some 5 requests/s in a burst and 9,000 an hour, of all clients with one key: two
sources that are asked side by side keep to both."""


@dataclass(frozen=True)
class Question:
    """What is asked of a route: some series' values of the periods from first to last."""

    route: str
    series: tuple[str, ...]
    first: dt.date
    last: dt.date
    frequency: str = "daily"

    @property
    def path(self) -> str:
        """Below EIA's address."""
        return f"v2/{self.route}/data/"

    @property
    def params(self) -> Mapping[str, str | int | Sequence[str]]:
        """The query string, without the key and the place of a page.

        Bounds are compared as text, so that they have the form of the frequency's periods.
        """
        form = "%Y-%m-%d" if self.frequency in ("daily", "weekly") else "%Y-%m"
        return {
            "frequency": self.frequency,
            "data[0]": "value",
            "facets[series][]": list(self.series),
            "start": self.first.strftime(form),
            "end": self.last.strftime(form),
            "sort[0][column]": "period",
            "sort[0][direction]": "asc",
            "sort[1][column]": "series",
            "sort[1][direction]": "asc",
            "length": MAX_ROWS,
        }

    @property
    def as_data(self) -> dict[str, Any]:
        """What is asked, as JSON can hold it."""
        return {"method": "GET", "path": self.path, "params": dict(self.params)}


class _Response(msgspec.Struct):
    total: str | int
    data: list[msgspec.Raw]


class _Answer(msgspec.Struct):
    response: msgspec.Raw


@dataclass(frozen=True)
class _Page:
    """One page: the answer's member `response`, how many rows there are in all, and those here."""

    response: bytes
    total: int
    rows: Sequence[bytes]


class EiaClient(ResilientClient):
    """Asks EIA.

    Args:
        base_url: where it is, without `/v2`.
        key: the api_key by which it knows us.
        policy: patience and pace.
        transport: another way to it, for tests.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        policy: HttpPolicy = POLICY,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(base_url, name="EIA", policy=policy, transport=transport)
        self._key = key

    async def rows(self, question: Question) -> bytes:
        """The rows that a question has for an answer, as JSON with the rows under response.data.

        Raises:
            SourceError: see `ResilientClient.exchange`; or EIA had other rows while it was asked
                for the next page (source_changed).
        """
        page = await self._page(question, 0)
        if len(page.rows) == page.total:
            return b'{"response":' + page.response + b"}"
        rows = [*page.rows]
        while len(rows) < page.total:
            following = await self._page(question, len(rows))
            if following.total != page.total:
                raise SourceError(
                    f"EIA had {page.total} rows of {question.route} and {following.total} at the "
                    "next page: nothing of them was kept, so run again.",
                    "source_changed",
                )
            rows += following.rows
        head = b'{"response":{"total":"%d","data":[' % page.total
        return head + b",".join(rows) + b"]}}"

    async def _page(self, question: Question, offset: int) -> _Page:
        async def consume(response: httpx.Response) -> _Page:
            return _whole(await read_bounded(response, _MAX_ANSWER_BYTES), offset)

        params = {**question.params, "offset": offset, "api_key": self._key}
        try:
            return await self.exchange("GET", question.path, params=params, consume=consume)
        except SourceError as error:
            # What EIA says of a request could repeat its key.
            raise SourceError(error.message.replace(self._key, "…"), error.code) from None


def _whole(payload: bytes, offset: int) -> _Page:
    """A page, if it has all rows that it should have.

    Raises:
        RetryableAnswer: it is not whole, or not JSON with such members.
    """
    try:
        text = bytes(msgspec.json.decode(payload, type=_Answer).response)
        response = msgspec.json.decode(text, type=_Response)
        total = int(response.total)
    except (*NOT_JSON, ValueError) as error:
        raise RetryableAnswer("it is no JSON with response.total and response.data") from error
    expected = max(0, min(MAX_ROWS, total - offset))
    if len(response.data) != expected:
        raise RetryableAnswer(
            f"it says that there are {total} rows, and from {offset} on has {len(response.data)}"
        )
    return _Page(text, total, [bytes(row) for row in response.data])
