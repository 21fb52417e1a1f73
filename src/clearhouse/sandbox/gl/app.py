"""The ledger's service as the pipeline sees it: the export of a day's lines, and its health."""

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clearhouse.core.errors import UsageError
from clearhouse.core.window import Window, parse_day
from clearhouse.sandbox import record_faults
from clearhouse.sandbox.answers import Answers
from clearhouse.sandbox.faults import FaultPlan
from clearhouse.sandbox.framing import Lines
from clearhouse.sandbox.gl.day_faults import HOSTILE, LINE_FAULTS, REDELIVERED, ROW_FAULTS
from clearhouse.sandbox.gl.faults import with_day_faults
from clearhouse.sandbox.gl.ledger import Ledger
from clearhouse.sandbox.gl.options import KEY, KEY_WITHOUT_SCOPE, GlOptions
from clearhouse.sandbox.gl.wire import blocks
from clearhouse.sandbox.record_faults import SentDay

EXPORT = "/v1/lines/export"
COUNT_HEADER = "X-Record-Count"
_KEY_HEADER = "X-API-Key"
_NDJSON = Lines(prefix=b"", suffix=b"\n", media_type="application/x-ndjson")


def create_app(options: GlOptions | None = None) -> Starlette:
    """The ledger's service as an ASGI application.

    Raises:
        UsageError: the options name an unknown fault, or one that its day can't have.
    """
    asked = options or GlOptions()
    more = partial(HOSTILE.faults_of, asked.seed) if asked.hostile else None
    ledger = Ledger(asked.seed, asked.opened_on, asked.scale)
    answers = Answers(FaultPlan(asked.faults, ROW_FAULTS, more=more), asked)
    spoiled = with_day_faults(ledger, asked.faults, asked.seed)
    export = _Export(spoiled, asked.seed, answers)
    return Starlette(
        routes=[
            Route(EXPORT, export.answer),
            Route("/health/live", _healthy),
            Route("/health/ready", _healthy),
        ],
        exception_handlers={HTTPException: _refusal},
    )


async def _healthy(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _refusal(_request: Request, error: Exception) -> Response:
    """An error as problem+json (RFC 9457)."""
    assert isinstance(error, HTTPException)  # noqa: S101
    status = HTTPStatus(error.status_code)
    problem = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": error.detail,
    }
    return Response(json.dumps(problem), status, media_type="application/problem+json")


@dataclass(frozen=True)
class _Export:
    """The export of one day."""

    ledger: Ledger
    seed: int
    answers: Answers

    async def answer(self, request: Request) -> Response:
        """The lines recorded on a day, with their number in a header."""
        key = request.headers.get(_KEY_HEADER)
        if key == KEY_WITHOUT_SCOPE:
            raise HTTPException(HTTPStatus.FORBIDDEN, "This key may not read lines.")
        if key != KEY:
            raise HTTPException(HTTPStatus.UNAUTHORIZED, f"Send your key as {_KEY_HEADER}.")
        asked = request.query_params
        if asked.get("format", "ndjson") != "ndjson":
            raise _unprocessable("The sandbox exports ndjson only.")
        try:
            day = parse_day(asked.get("recorded_on", ""))
        except UsageError as error:
            raise _unprocessable(f"recorded_on: {error.message}") from None
        after = asked.get("after", "0")
        if not after.isdecimal():
            raise _unprocessable("after: it is the gl_entry_id of a line.")
        content = partial(self._content, after=int(after))
        return await self.answers.respond_counted(Window.day(day), content, _NDJSON, COUNT_HEADER)

    def _content(self, day: dt.date, kinds: list[str], after: int) -> Iterable[bytes]:
        """The lines of a day with these faults; a day without lines has nothing that could fail."""
        table = self.ledger.lines(day, day)
        ids = table["gl_entry_id"].to_numpy()
        table = table.slice(int(np.searchsorted(ids, after, "right")))
        if REDELIVERED in kinds:
            table = pa.concat_tables([table, self._first_entry(day - dt.timedelta(days=1))])
        texts = blocks(table)
        if not LINE_FAULTS.keys() & set(kinds):
            return texts
        lines = _NDJSON.split(b"".join(texts))
        if not lines:
            return []
        sent = record_faults.apply(LINE_FAULTS, kinds, SentDay(day, self.seed, self.seed, lines))
        return [_NDJSON.join(sent)]

    def _first_entry(self, day: dt.date) -> pa.Table:
        """The lines of the first entry of a day; none of a day without entries."""
        table = self.ledger.lines(day, day)
        entries = table["journal_entry"]
        return table.filter(pc.equal(entries, entries[0])) if len(table) else table


def _unprocessable(detail: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
