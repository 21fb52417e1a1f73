"""Lines: pages, one by its id, whole selections as files, and the live stream."""

import contextlib
import datetime as dt
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any, Literal

import pyarrow as pa
from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from clearhouse.gl.service import answers, export
from clearhouse.gl.service.answers import answered, as_json, ndjson
from clearhouse.gl.service.columns import as_records
from clearhouse.gl.service.errors import (
    BadRequestError,
    NotFoundError,
    NotReadyError,
    ServiceError,
    problem,
)
from clearhouse.gl.service.models import LineOut, LinePage
from clearhouse.gl.service.routes.common import (
    After,
    AskedExport,
    AskedLines,
    Reader,
    ServiceOf,
    problems,
)
from clearhouse.gl.service.service import Service
from clearhouse.gl.service.stream import SlowClientError

router = APIRouter(prefix="/v1/lines", tags=["lines"])

_NDJSON = "application/x-ndjson"
_SSE = "text/event-stream"
_STREAMS: dict[int | str, dict[str, Any]] = {200: {"content": {_NDJSON: {}, _SSE: {}}}}
_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type: {} for media_type in export.MEDIA_TYPES.values()}}
}
_TOO_SLOW = ServiceError(
    "You did not keep up with the stream: follow again from your last id.", "slow_client"
)


@router.get("", response_model=LinePage, responses=problems())
def page(request: Request, service: ServiceOf, _caller: Reader, asked: AskedLines) -> Response:
    """A page of lines by date, account, well, lease, cost centre, source or type."""
    lines = service.lines

    def made() -> bytes:
        found = lines.page(asked.selection(), asked.sort, asked.cursor, asked.limit)
        return as_json({"data": as_records(found.rows), "next_cursor": found.next_cursor})

    key = f"{lines.last()}:{request.url.path}?{request.url.query}"
    return answered(request, service.shared.answer(key, made))


@router.get("/export", response_class=StreamingResponse, responses={**problems(), **_FILES})
def export_lines(service: ServiceOf, _caller: Reader, asked: AskedExport) -> Response:
    """All lines of a selection in order of their ids, as a file that is made while it is sent.

    `X-Record-Count` is how many there are: an answer with fewer is not whole. Through the day
    `X-Whole-Through` nothing is recorded any more.
    """
    lines, selection = service.lines, asked.selection()
    whole_through = lines.whole_through()
    _see_that_past_days_are_whole(service, selection.recorded_to, whole_through)
    until = lines.last()
    count = lines.count(selection, asked.after, until)
    pieces = lines.in_pieces(selection, asked.after, until)
    return StreamingResponse(
        export.WRITERS[asked.format](pieces),
        media_type=export.MEDIA_TYPES[asked.format],
        headers={
            "X-Record-Count": str(count),
            "X-Last-Entry-Id": str(until),
            "X-Whole-Through": str(whole_through),
            "Content-Disposition": f'attachment; filename="lines.{asked.format}"',
        },
    )


@router.get("/stream", response_class=StreamingResponse, responses={**problems(), **_STREAMS})
async def stream(
    service: ServiceOf,
    _caller: Reader,
    after: Annotated[After | None, Query()] = None,
    form: Annotated[Literal["ndjson", "sse"] | None, Query(alias="format")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """Lines as they are recorded, without end.

    From `after` or `Last-Event-ID` on, or from now. Server-sent events if `format=sse` or the
    header `Accept` asks for them, with the id of each line.
    """
    is_sse = form == "sse" or (form is None and _SSE in accept)
    position = after if last_event_id is None else _event_id(last_event_id)
    render = as_events if is_sse else ndjson
    heartbeat = b": still here\n\n" if is_sse else b""
    service.tail.see_that_there_is_room()
    follows = service.tail.follow(position, render, heartbeat)
    return StreamingResponse(
        _until_too_slow(follows, is_sse=is_sse),
        media_type=_SSE if is_sse else _NDJSON,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get("/{gl_entry_id}", response_model=LineOut, responses=problems(404))
def one(
    request: Request,
    service: ServiceOf,
    _caller: Reader,
    gl_entry_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
) -> Response:
    """One line."""
    found = service.lines.by_id(gl_entry_id)
    if not len(found):
        raise NotFoundError(f"The ledger has no line {gl_entry_id}.", "unknown_line")
    return answered(request, ndjson(found).rstrip())


def _see_that_past_days_are_whole(
    service: Service, last: dt.date | None, whole_through: dt.date
) -> None:
    """Just after midnight the rest of the day before is still to come."""
    if last is None or last >= service.clock().date() or last <= whole_through:
        return
    raise NotReadyError(f"{last} is not whole yet.", headers={"Retry-After": "2"})


def as_events(table: pa.Table) -> bytes:
    """Lines as server-sent events."""
    ids = table["gl_entry_id"].to_pylist()
    texts = ndjson(table).splitlines()
    return b"".join(b"id: %d\ndata: %b\n\n" % pair for pair in zip(ids, texts, strict=True))


async def _until_too_slow(
    follows: AsyncGenerator[bytes, None], *, is_sse: bool
) -> AsyncIterator[bytes]:
    """What follows; a client that is dropped is told why."""
    try:
        async with contextlib.aclosing(follows):
            async for part in follows:
                yield part
    except SlowClientError:
        told = answers.as_json(problem(_TOO_SLOW))
        yield b"event: error\ndata: %b\n\n" % told if is_sse else told + b"\n"


def _event_id(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequestError("Last-Event-ID is the id of a line.", "bad_event_id")
    return int(text)
