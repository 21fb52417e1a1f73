"""The call that gives a route's data: `GET /v2/{route}/data/`, as EIA answers it.

- The key is wanted in the query string: 403 with API_KEY_MISSING or API_KEY_INVALID.
- What is not understood is a 400, a route that is not there a 404. A facet's value that is not
  there is none: 200 without rows.
- Without `data[0]=value`, rows have no measures.
- At most 5,000 rows come at once; where more are left, the answer bears a warning.
- `total` and every value are strings, and the answer repeats the request with its key.
- The faults of a day are those of requests that end with it.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path

from clearhouse.core.errors import UsageError
from clearhouse.core.window import Window, parse_day
from clearhouse.sandbox import record_faults
from clearhouse.sandbox.answers import Answers
from clearhouse.sandbox.eia.faults import HOSTILE, ROW_FAULTS
from clearhouse.sandbox.eia.options import KEY, EiaOptions
from clearhouse.sandbox.eia.series import FACETS, ROUTES, Route, values
from clearhouse.sandbox.faults import FaultPlan
from clearhouse.sandbox.framing import Framing
from clearhouse.sandbox.record_faults import SentDay
from clearhouse.sandbox.rng import seed_of

MOST_ROWS = 5_000
_INCOMPLETE = {
    "warning": "incomplete return",
    "description": "The API can only return 5000 rows in JSON format.  Please consider "
    "constraining your request with facet, start, or end, or using offset to paginate results.",
}
_FACET = re.compile(r"facets\[(.+?)\]\[\d*\]")
_ASKED = re.compile(r"data(?:\[\d*\])?")
_NO_DAY = dt.date.min  # of a request without an end: no fault is on it


def create_app(options: EiaOptions | None = None) -> Starlette:
    """EIA's server as an ASGI application.

    Raises:
        UsageError: the options name an unknown fault.
    """
    asked = options or EiaOptions()
    seed = seed_of(asked.seed, "eia")
    more = partial(_hostile, seed) if asked.hostile else None
    call = _Call(seed, Answers(FaultPlan(asked.faults, ROW_FAULTS, more=more), asked, "error"))
    app = Starlette(routes=[Path("/v2/{route:path}/data/", call.answer)])
    app.router.redirect_slashes = False
    return app


def _hostile(seed: int, day: dt.date) -> tuple[str, ...]:
    return () if day == _NO_DAY else HOSTILE.faults_of(seed, day)


class _RefusedError(Exception):
    """A request that is not understood."""


@dataclass(frozen=True)
class _Asked:
    """What a request asks of a route."""

    frequency: str
    has_values: bool
    facets: Mapping[str, list[str]]
    start: str
    end: str
    sorted_by: str
    descends: bool
    offset: int
    length: int

    @classmethod
    def of(cls, query: QueryParams, route: Route) -> "_Asked":
        """What a query string says.

        Raises:
            _RefusedError: it is not understood.
        """
        frequency = query.get("frequency", route.frequency)
        if frequency != route.frequency:
            raise _RefusedError(
                f"Invalid frequency '{frequency}' provided. The only valid frequencies are "
                f"'{route.frequency}'."
            )
        wanted = [value for name, value in query.multi_items() if _ASKED.fullmatch(name)]
        if any(name != "value" for name in wanted):
            raise _RefusedError("Invalid data provided. The only valid data are 'value'.")
        facets: dict[str, list[str]] = {}
        for name, value in query.multi_items():
            if facet := _FACET.fullmatch(name):
                facets.setdefault(facet[1], []).append(value)
        for name in facets:
            if name not in FACETS:
                raise _RefusedError(
                    f"Invalid facet '{name}' provided. The only valid facets are "
                    f"{', '.join(map(repr, FACETS))}."
                )
        column = query.get("sort[0][column]", "period")
        if column not in ("period", "value", *route.series[0].columns):
            raise _RefusedError(f"Invalid sort column '{column}' provided.")
        return cls(
            frequency,
            bool(wanted),
            facets,
            query.get("start", ""),
            query.get("end", ""),
            column,
            query.get("sort[0][direction]", "desc") == "desc",
            _number(query, "offset", 0),
            min(_number(query, "length", MOST_ROWS), MOST_ROWS),
        )


def _number(query: QueryParams, name: str, otherwise: int) -> int:
    text = query.get(name, str(otherwise))
    if not text.isdecimal():
        raise _RefusedError(f"Invalid {name} '{text}' provided. It must be a whole number.")
    return int(text)


@dataclass(frozen=True)
class _Call:
    """The call for a route's data."""

    seed: int
    answers: Answers

    async def answer(self, request: Request) -> Response:
        """The rows of a route that are asked for."""
        key = request.query_params.get("api_key")
        if key != KEY:
            code, text = (
                ("API_KEY_INVALID", "An invalid api_key was supplied.")
                if key
                else ("API_KEY_MISSING", "No api_key was supplied.")
            )
            message = f"{text} Get one at https://www.eia.gov/opendata/register.php"
            return JSONResponse({"error": {"code": code, "message": message}}, HTTPStatus.FORBIDDEN)
        route = ROUTES.get(request.path_params["route"])
        if route is None:
            return _refusal("Not found.", HTTPStatus.NOT_FOUND)
        try:
            asked = _Asked.of(request.query_params, route)
        except _RefusedError as error:
            return _refusal(str(error), HTTPStatus.BAD_REQUEST)
        rows = _rows(route, asked)
        page = rows[asked.offset : asked.offset + asked.length]
        framing = _Framing(
            route,
            len(rows),
            is_whole=asked.offset + len(page) >= len(rows),
            request=_echo(request),
        )

        def content(day: dt.date, kinds: list[str]) -> list[bytes]:
            sent = SentDay(day, self.seed, self.seed, [_json(row) for row in page])
            return record_faults.apply(ROW_FAULTS, kinds, sent)

        return self.answers.respond(Window.day(_last_day(asked.end)), content, framing)


def _rows(route: Route, asked: _Asked) -> list[dict[str, str]]:
    """All rows that are asked for, in order."""
    found = []
    for series in route.series:
        if all(series.columns[name] in wanted for name, wanted in asked.facets.items()):
            for period, value in values(route, series, asked.start, asked.end):
                measures = {"value": value, "units": series.units} if asked.has_values else {}
                found.append({"period": period, **series.columns, **measures})
    found.sort(key=lambda row: row.get(asked.sorted_by, ""), reverse=asked.descends)
    return found


def _last_day(end: str) -> dt.date:
    try:
        return parse_day(end)
    except UsageError:
        return _NO_DAY


def _echo(request: Request) -> dict[str, Any]:
    """The request as the answer repeats it, the key included."""
    params: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        plain = name.partition("[")[0]
        if plain == name:
            params[plain] = value
        elif plain == "data":
            params.setdefault(plain, []).append(value)
        elif facet := _FACET.fullmatch(name):
            params.setdefault(plain, {}).setdefault(facet[1], []).append(value)
    return {"command": request.url.path, "params": params}


def _refusal(text: str, status: HTTPStatus) -> Response:
    return JSONResponse({"error": text, "code": status.value}, status)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True)
class _Framing(Framing):
    """One JSON object with the rows under response.data."""

    route: Route
    total: int
    is_whole: bool
    request: Mapping[str, Any] = field(repr=False)
    media_type = "application/json"
    between = b","

    def start(self, records: int) -> bytes:
        """The object up to its first row."""
        warnings = {} if self.is_whole else {"warnings": [_INCOMPLETE]}
        head = {
            **warnings,
            "total": str(self.total),
            "dateFormat": self.route.date_format,
            "frequency": self.route.frequency,
            "data": [],
        }
        return b'{"response":' + _json(head).removesuffix(b"]}")

    def end(self) -> bytes:
        """The object after its last row."""
        tail = {"request": self.request, "apiVersion": "2.1.10", "ExcelAddInVersion": "2.1.0"}
        return b"]}," + _json(tail).removeprefix(b"{")
