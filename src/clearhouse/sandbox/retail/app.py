"""A retailer's server: its one call, and `GET /health`, exact on the wire."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clearhouse.core.errors import UsageError
from clearhouse.core.window import Window, parse_day
from clearhouse.sandbox import day_faults, record_faults
from clearhouse.sandbox.answers import Answers
from clearhouse.sandbox.faults import FaultPlan
from clearhouse.sandbox.framing import JsonRows
from clearhouse.sandbox.record_faults import SentDay
from clearhouse.sandbox.retail import pages
from clearhouse.sandbox.retail.faults import (
    DAY_BEFORE,
    DAY_FAULTS,
    HOSTILE,
    LATER_FAULTS,
    LINE_FAULTS,
    ROW_FAULTS,
    Parts,
    line_faults,
)
from clearhouse.sandbox.retail.options import KEYS, RetailOptions
from clearhouse.sandbox.retail.retailer import Retailer
from clearhouse.sandbox.retail.retailer_1 import RETAILER_1
from clearhouse.sandbox.retail.retailer_2 import RETAILER_2
from clearhouse.sandbox.retail.retailer_3 import RETAILER_3
from clearhouse.sandbox.retail.sales import of_day
from clearhouse.sandbox.retail.wire import write
from clearhouse.sandbox.rng import seed_of

RETAILERS = {each.name: each for each in (RETAILER_1, RETAILER_2, RETAILER_3)}


def create_app(name: str, options: RetailOptions | None = None) -> Starlette:
    """A retailer's server as an ASGI application.

    Raises:
        UsageError: the options name an unknown fault.
    """
    asked = options or RetailOptions()
    retailer = RETAILERS[name]
    seed = seed_of(asked.seed, name)
    more = partial(HOSTILE.faults_of, seed) if asked.hostile else None
    answers = Answers(
        FaultPlan(asked.faults, ROW_FAULTS, LATER_FAULTS, more),
        asked,
        error_key="error",
        error_end="\n",
        server_error=pages.page(HTTPStatus.INTERNAL_SERVER_ERROR),
    )
    call = _Call(retailer, seed, asked.scale, answers)
    app = Starlette(
        routes=[
            Route(retailer.api.path, call.answer, methods=[retailer.api.method]),
            Route("/health", _health),
        ],
        exception_handlers={HTTPException: _refusal},
    )
    app.router.redirect_slashes = False
    return app


async def _health(_request: Request) -> Response:
    return Response('{"status":"healthy"}\n', media_type="application/json")


async def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    return pages.html(HTTPStatus(error.status_code), dict(error.headers or {}))


@dataclass(frozen=True)
class _Call:
    """The call of one retailer."""

    retailer: Retailer
    seed: int
    scale: float
    answers: Answers

    async def answer(self, request: Request) -> Response:
        """The sales between two dates, both included."""
        api = self.retailer.api
        # As recorded: retailer_1 takes its key without "Bearer" too.
        key = request.headers.get(api.header, "").removeprefix(api.scheme)
        if key != KEYS[self.retailer.name]:
            return pages.error("Unauthorized", HTTPStatus.UNAUTHORIZED)
        asked = await _asked(request) if api.method == "POST" else request.query_params
        dates = {name: str(asked[name]) for name in (api.first, api.last) if asked.get(name)}
        for date in dates.values():
            if not _is_day(date):
                return pages.bad_date(api, dates, date)
        if len(dates) < 2:
            # A real one then has no bound on that side, and answers with all its sales.
            return _not_here(f"The sandbox needs {api.first} and {api.last}.")
        return self._between(dates[api.first], dates[api.last])

    def _between(self, first: str, last: str) -> Response:
        if last < first:
            framing = self._framing()
            return Response(framing.start(0) + framing.end(), media_type=framing.media_type)
        try:
            window = Window.parse(first, last)
        except UsageError as error:
            return _not_here(error.message)
        return self.answers.respond(window, self._content, self._framing())

    def _framing(self) -> JsonRows:
        """The members of the object, in the order of the alphabet."""
        under, retailer = self.retailer.api.rows_under, {"retailer": self.retailer.name}
        comes_before = under > "retailer"
        return JsonRows(
            under,
            before=retailer if comes_before else {},
            after={} if comes_before else retailer,
            is_counted=True,
            ending=b"\n",
        )

    def _content(self, day: dt.date, kinds: list[str]) -> list[bytes]:
        """The rows of a day with these faults; a day without sales has nothing that could fail."""
        drawn = day - dt.timedelta(days=DAY_BEFORE in kinds)
        lines = of_day(self.retailer, self.seed, drawn, self.scale)
        if len(lines) == 0:
            return []
        parts: Parts = (lines,)
        parts = day_faults.apply(DAY_FAULTS, kinds, parts, self.seed, day)
        text = b"".join(map(write, parts)).removesuffix(b"\n")
        if not text:  # the fault is that there is none
            return []
        if not LINE_FAULTS & set(kinds):
            return [text]
        as_sent = SentDay(day, self.seed, self.seed, text.split(b"\n"))
        return record_faults.apply(line_faults(self.retailer.names), kinds, as_sent)


async def _asked(request: Request) -> Mapping[str, Any]:
    """The JSON object that a POST brings.

    Raises:
        HTTPException: it brings none.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    try:
        asked = json.loads(await request.body())
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None
    if not isinstance(asked, dict):
        raise HTTPException(HTTPStatus.INTERNAL_SERVER_ERROR)
    return asked


def _is_day(text: str) -> bool:
    try:
        parse_day(text)
    except UsageError:
        return False
    return True


def _not_here(text: str) -> Response:
    return pages.error(text, HTTPStatus.BAD_REQUEST)
