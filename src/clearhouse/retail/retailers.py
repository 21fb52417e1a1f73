"""The three retailers: how each is asked, how it knows who asks, and what makes its answer whole.

What an answer's fields mean is said by the contract `retail.sales`, by source.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from clearhouse.core.answer import RetryableAnswer, read_bounded
from clearhouse.core.errors import SourceError
from clearhouse.core.http import HttpPolicy, ResilientClient
from clearhouse.core.not_json import NOT_JSON, with_whole_characters

MAX_ANSWER_BYTES = 256 << 20
"""Some half a million lines: a day has a few thousand."""


@dataclass(frozen=True)
class Retailer:
    """One retailer's API.

    Attributes:
        name: as the answers, settings and record ids have it.
        method, path: of the call that gives the sales of some days.
        first, last: what the call names its first and last day, both inclusive.
        in_body: whether they stand in a JSON body, and not in the query string.
        rows_under: the key of an answer's rows.
        key_header: the headers by which a key is shown.
    """

    name: str
    method: str
    path: str
    first: str
    last: str
    in_body: bool
    rows_under: str
    key_header: Callable[[str], Mapping[str, str]] = field(repr=False)

    def request(self, day: dt.date) -> dict[str, Any]:
        """What is asked for a day, as JSON can hold it."""
        dates = {self.first: str(day), self.last: str(day)}
        return {
            "method": self.method,
            "path": self.path,
            "json" if self.in_body else "params": dates,
        }

    def check(self, payload: bytes) -> None:
        """See that an answer is this retailer's, and as long as it says.

        Raises:
            RetryableAnswer: it is not whole, or not JSON.
            SourceError: another retailer answered (another_retailer).
        """
        try:
            answer = _ANSWER.decode(with_whole_characters(payload))
            rows = _ROWS.decode(answer[self.rows_under])
            count = _COUNT.decode(answer["count"])
            retailer = _NAME.decode(answer["retailer"])
        except (*NOT_JSON, KeyError) as error:
            raise RetryableAnswer(
                f"it is no JSON with count, retailer and {self.rows_under}"
            ) from error
        if retailer != self.name:
            raise SourceError(
                f"What answers as {self.name} is {retailer[:40]!r}: check the URL set for it.",
                "another_retailer",
            )
        if count != len(rows):
            raise RetryableAnswer(f"it says that it has {count} rows and has {len(rows)}")


_ANSWER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_COUNT = msgspec.json.Decoder(int)
_NAME = msgspec.json.Decoder(str)

RETAILERS = (
    Retailer(
        "retailer_1", "GET", "sales", "start_date", "end_date", in_body=False, rows_under="data",
        key_header=lambda key: {"Authorization": f"Bearer {key}"},
    ),
    Retailer(
        "retailer_2", "GET", "transactions", "from", "to", in_body=False,
        rows_under="transactions", key_header=lambda key: {"X-API-Key": key},
    ),
    Retailer(
        "retailer_3", "POST", "sales/query", "dateFrom", "dateTo", in_body=True,
        rows_under="results", key_header=lambda key: {"apikey": key},
    ),
)  # fmt: skip


class RetailerClient(ResilientClient):
    """Asks one retailer.

    Args:
        retailer: which.
        base_url: where it is.
        key: by which it knows us.
        policy: patience, pace and the number of days asked for side by side.
        transport: another way to it, for tests.
    """

    def __init__(
        self,
        retailer: Retailer,
        base_url: str,
        key: str,
        *,
        policy: HttpPolicy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        headers = retailer.key_header(key)
        super().__init__(
            base_url, name=retailer.name, policy=policy, headers=headers, transport=transport
        )
        self._retailer = retailer

    async def sales_of(self, day: dt.date) -> bytes:
        """The answer for a day, whole. A day without sales has an answer without rows.

        Raises:
            SourceError: see `ResilientClient.exchange`, and `Retailer.check`.
        """

        async def consume(response: httpx.Response) -> bytes:
            payload = await read_bounded(response, MAX_ANSWER_BYTES)
            self._retailer.check(payload)
            return payload

        return await self.exchange(**self._retailer.request(day), consume=consume)

    async def health(self) -> None:
        """See that it is up: `GET /health`, which needs no key.

        Raises:
            SourceError: it is not.
        """
        await self.request_json("GET", "health")
