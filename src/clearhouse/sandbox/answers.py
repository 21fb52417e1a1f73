"""Answers for the days of a request, with the faults of the plan."""

import datetime as dt
import json
import math
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from email.utils import format_datetime
from http import HTTPStatus

import anyio
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Send

from clearhouse.core.window import Window
from clearhouse.sandbox.faults import (
    CONNECTION_DROP,
    CUT_STREAM,
    HTML_PAGE,
    TOO_MANY_REQUESTS,
    TRUNCATED_STREAM,
    UNAUTHORIZED,
    UNAVAILABLE,
    UNAVAILABLE_UNTIL,
    UNENDED_STREAM,
    Accident,
    FaultPlan,
)
from clearhouse.sandbox.framing import Framing
from clearhouse.sandbox.source import SourceOptions

CHUNK_BYTES = 256 * 1024
_SLOW_PARTS = 4

Content = Callable[[dt.date, list[str]], Iterable[bytes]]
"""The content of a day with these row faults, as the framing takes it."""

_STATUS = {
    UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    UNAVAILABLE_UNTIL: HTTPStatus.SERVICE_UNAVAILABLE,
    TOO_MANY_REQUESTS: HTTPStatus.TOO_MANY_REQUESTS,
    UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
}


class StreamCut(Exception):  # noqa: N818
    """The connection is dropped here: what follows is not sent, nor is the last chunk."""


class CuttableStream(StreamingResponse):
    """A stream that a `StreamCut` leaves unfinished, so that the server drops the connection."""

    async def stream_response(self, send: Send) -> None:
        """Sends the head and the chunks; without the last one after a cut."""
        try:
            await super().stream_response(send)
        except StreamCut:
            return


def _page(title: str) -> str:
    return f"<!doctype html>\n<html lang=en>\n<title>{title}</title>\n<h1>{title}</h1>\n"


@dataclass(frozen=True)
class Answers:
    """The answers of one server.

    Attributes:
        error_key: the key of the message in an error of the source.
        error_end: what follows the JSON of an error.
        server_error: the page of an internal error.
    """

    plan: FaultPlan
    options: SourceOptions
    error_key: str = "detail"
    error_end: str = ""
    server_error: str = _page(HTTPStatus.INTERNAL_SERVER_ERROR.phrase)

    def respond(self, window: Window, content: Content, framing: Framing) -> Response:
        """The answer to a request for these days."""
        accident = self.plan.meet(window)
        refusal = accident.refusal
        if refusal is not None and refusal != CONNECTION_DROP:
            return self._refuse(refusal)
        body = _Body(window, content, framing, self.plan, self.options, accident)
        return CuttableStream(body.chunks(), media_type=framing.media_type)

    async def respond_counted(
        self, window: Window, content: Content, framing: Framing, header: str
    ) -> Response:
        """The same answer, with the number of records that it should have in a header."""
        accident = self.plan.meet(window)
        if accident.refusal is not None and accident.refusal != CONNECTION_DROP:
            return self._refuse(accident.refusal)
        body = _Body(window, content, framing, self.plan, self.options, accident)
        made = await run_in_threadpool(body.made)
        counted = replace(body, content=lambda day, _kinds: made[day])
        headers = {header: str(sum(map(framing.count, made.values())))}
        return CuttableStream(counted.chunks(), headers=headers, media_type=framing.media_type)

    def _refuse(self, refusal: str) -> Response:
        if refusal == HTML_PAGE:
            return HTMLResponse(_page("Scheduled maintenance"))
        if refusal not in _STATUS:
            return HTMLResponse(self.server_error, HTTPStatus.INTERNAL_SERVER_ERROR)
        status = _STATUS[refusal]
        headers = {} if refusal == UNAUTHORIZED else {"Retry-After": self._retry_after(refusal)}
        text = json.dumps({self.error_key: status.phrase}, separators=(",", ":")) + self.error_end
        return Response(text, status, headers, media_type="application/json")

    def _retry_after(self, refusal: str) -> str:
        seconds = self.options.retry_after_seconds
        if refusal != UNAVAILABLE_UNTIL:
            return str(seconds)
        moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        return format_datetime(moment, usegmt=True)


@dataclass(frozen=True)
class _Body:
    """The body of one answer."""

    window: Window
    content: Content
    framing: Framing
    plan: FaultPlan
    options: SourceOptions
    accident: Accident

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, in chunks of at most CHUNK_BYTES.

        Raises:
            StreamCut: at once, or when it comes to a day that ends with a dropped connection.
        """
        if self.accident.refusal == CONNECTION_DROP:
            raise StreamCut
        made = await run_in_threadpool(self.made) if self.framing.is_counted else {}
        if start := self.framing.start(sum(map(self.framing.count, made.values()))):
            yield start
        has_records = False
        for day in self.window:
            if day != self.window.first and self.options.pause_seconds:
                await anyio.sleep(self.options.pause_seconds)
            lead = self.framing.between if has_records else b""
            # In a thread: the generation of one answer must not stop the others.
            content = made[day] if day in made else self._content(day)
            async for block in iterate_in_threadpool(self._day(day, content)):
                if day in self.accident.slow:
                    await anyio.sleep(self.options.slow_seconds)
                for chunk in _in_parts(lead + block, CHUNK_BYTES):
                    yield chunk
                lead, has_records = b"", True
            if self.accident.ends.get(day) == TRUNCATED_STREAM:
                return
        if end := self.framing.end():
            yield end

    def made(self) -> dict[dt.date, list[bytes]]:
        """The content of all days: it is counted first, and made once."""
        return {day: list(self._content(day)) for day in self.window}

    def _content(self, day: dt.date) -> Iterable[bytes]:
        return self.content(day, self.plan.rows(day, is_later=day in self.accident.later))

    def _day(self, day: dt.date, content: Iterable[bytes]) -> Iterator[bytes]:
        """The text of one day, block by block.

        Raises:
            StreamCut: where the connection is to be dropped.
        """
        end = self.accident.ends.get(day)
        if end in (CUT_STREAM, TRUNCATED_STREAM):
            yield from self._to_mid_record(content)
        else:
            blocks = self.framing.blocks(content)
            if day in self.accident.slow:
                text = b"".join(blocks)
                blocks = _in_parts(text, math.ceil(len(text) / _SLOW_PARTS))
            yield from blocks
        if end in (CUT_STREAM, UNENDED_STREAM):
            raise StreamCut

    def _to_mid_record(self, content: Iterable[bytes]) -> Iterator[bytes]:
        """The first half of the records and half of the next one."""
        records = self.framing.records(content)
        if records:
            half = len(records) // 2
            cut = records[half][: len(records[half]) // 2]
            yield self.framing.between.join([*records[:half], cut])


def _in_parts(text: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(text), max(1, size)):
        yield text[start : start + size]
