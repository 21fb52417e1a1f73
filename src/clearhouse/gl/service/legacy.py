"""The paths of the original service, so that its clients go on unchanged. They need no key.

A record is a line of revenue, operating cost or capital under the original's 29 names. Its amounts
are floats, and what it calls REVENUE or EXPENSE is told by the first digit of the account: that is
how its clients know it. `/v1` has exact amounts and all accounts.
"""

import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
from fastapi import APIRouter, Query
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.responses import Response, StreamingResponse

from clearhouse.gl.chart import chart_of_accounts
from clearhouse.gl.service.answers import JSON, as_json
from clearhouse.gl.service.reading import Lines, Selection
from clearhouse.gl.service.routes.common import ServiceOf

router = APIRouter(tags=["original"])

SERVICE, VERSION = "General Ledger Service", "1.0.0"
_SAME = """gl_entry_id journal_batch journal_entry transaction_date posting_date account_code
    account_name account_type debit_amount credit_amount net_amount well_id lease_name property_id
    afe_number jib_number cost_center journal_source transaction_type description fiscal_period
    fiscal_year fiscal_month state county basin created_timestamp created_by last_modified"""
FIELDS = tuple(_SAME.split())
_TEXTS = ("well_id", "lease_name", "property_id", "cost_center", "state", "county", "basin")
"""Always texts in the original; empty where a line has none."""
_KNOWN_SOURCES = pa.array(["AP", "AR", "JIB", "PA", "PROD", "MANUAL", "ADJ"])
_MOST_RECORDS = 10_000


@router.get("/", response_model=None)
async def about() -> dict[str, Any]:
    """What the service is."""
    shown = {
        code: account.name
        for code, account in chart_of_accounts().items()
        if "4000" <= code < "9000"
    }
    return {
        "service": SERVICE,
        "version": VERSION,
        "endpoints": {
            "/get-gl": "Stream of entries, or those between start_date and end_date",
            "/get-gl-batch": "Some entries, up to limit",
            "/health": "State of the service",
            "/v1": "The ledger, described at /docs",
        },
        "account_types": shown,
    }


@router.get("/health", response_model=None)
def health(service: ServiceOf) -> dict[str, Any]:
    """State of the service, with its numbers of records."""
    total = service.lines.count_results()
    return {
        "status": "healthy",
        "service": SERVICE,
        "version": VERSION,
        "historical_records": service.historical_lines,
        "total_streamed": total - service.historical_lines,
        "total_records": total,
        "timestamp": service.clock().isoformat(),
    }


@router.get("/get-gl", response_model=None)
async def get_gl(
    service: ServiceOf, start_date: str | None = None, end_date: str | None = None
) -> Response:
    """Without dates: all records, then each new one, without end. With both: those between."""
    lines = service.lines
    if start_date is None and end_date is None:
        service.tail.see_that_there_is_room()
        return StreamingResponse(_stream(service), media_type=JSON)
    found = _asked(start_date, end_date)
    if isinstance(found, Response):
        return found
    return StreamingResponse(_between(lines, found), media_type=JSON)


@router.get("/get-gl-batch", response_model=None)
def get_gl_batch(
    service: ServiceOf,
    limit: Annotated[int, Query(ge=1, le=_MOST_RECORDS)] = 1000,
    start_date: str | None = None,
    end_date: str | None = None,
) -> Response:
    """The first records, of all or of those between two dates."""
    selection: Selection | Response = Selection(only_results=True)
    if start_date is not None or end_date is not None:
        selection = _asked(start_date, end_date)
    if isinstance(selection, Response):
        return selection
    table = service.lines.page(selection, "gl_entry_id", None, limit).table
    found = records(table)
    told = {
        "count": len(found),
        "limit": limit,
        "start_date": start_date,
        "end_date": end_date,
        "data": found,
    }
    return Response(as_json(told), media_type=JSON)


def records(table: pa.Table) -> list[dict[str, Any]]:
    """Lines as the original's records."""
    code = table["account_code"]
    is_revenue = pc.equal(pc.utf8_slice_codeunits(code, 0, 1), "4")
    debit, credit = table["debit_minor"], table["credit_minor"]
    source = table["journal_source"]
    made = {
        "account_type": pc.if_else(is_revenue, "REVENUE", "EXPENSE"),
        "debit_amount": _dollars(debit),
        "credit_amount": _dollars(credit),
        "net_amount": _dollars(pc.subtract(credit, debit)),
        "journal_source": pc.if_else(pc.is_in(source, _KNOWN_SOURCES), source, "ADJ"),
        **{name: pc.fill_null(table[name], "") for name in _TEXTS},
    }
    columns = [made[name] if name in made else table[name] for name in FIELDS]
    return [
        {
            **row,
            "transaction_date": row["transaction_date"].isoformat(),
            "posting_date": row["posting_date"].isoformat(),
            "created_timestamp": row["created_timestamp"].isoformat(),
            "last_modified": row["last_modified"].isoformat(),
        }
        for row in pa.table(columns, names=list(FIELDS)).to_pylist()
    ]


def new_records(table: pa.Table) -> bytes:
    """New lines as the original streams them: one object a line."""
    code = table["account_code"]
    of_results = pc.and_(pc.greater_equal(code, "4000"), pc.less(code, "9000"))
    return b"".join(
        as_json({"type": "new_record", "data": row}) + b"\n"
        for row in records(table.filter(of_results))
    )


def _dollars(minor: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.divide(minor.cast(pa.float64()), 100.0)


def _asked(start: str | None, end: str | None) -> Selection | Response:
    """The records between two dates, or the original's refusal."""
    if start is None or end is None:
        detail = "Both start_date and end_date must be provided together"
        return Response(as_json({"detail": detail}), 400, media_type=JSON)
    try:
        first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    except ValueError:
        return _bad_range("Dates are written as YYYY-MM-DD")
    if first > last:
        return _bad_range("start_date is after end_date")
    return Selection(only_results=True, transaction_from=first, transaction_to=last)


def _bad_range(details: str) -> Response:
    told = {"error": "Invalid date range", "details": details, "type": "InvalidDateRangeError"}
    return Response(as_json(told), 400, media_type=JSON)


def _between(lines: Lines, selection: Selection) -> Iterator[bytes]:
    until = lines.last()
    heading = {
        "count": lines.count(selection, 0, until),
        "start_date": str(selection.transaction_from),
        "end_date": str(selection.transaction_to),
    }
    yield as_json(heading)[:-1] + b',"data":['
    yield from _listed(lines.in_pieces(selection, 0, until))
    yield b"]}"


def _listed(pieces: Iterable[pa.Table]) -> Iterator[bytes]:
    """Records of a JSON list, without its brackets."""
    comma = b""
    for table in pieces:
        yield comma + as_json(records(table))[1:-1]
        comma = b","


async def _stream(service: Any) -> AsyncIterator[bytes]:
    """The history on one line, which is made while it is sent, and then what is new."""
    lines, everything = service.lines, Selection(only_results=True)
    until = await run_in_threadpool(lines.last)
    count = await run_in_threadpool(lines.count, everything, 0, until)
    yield as_json({"type": "buffered_records", "count": count})[:-1] + b',"data":['
    async for part in iterate_in_threadpool(_listed(lines.in_pieces(everything, 0, until))):
        yield part
    yield b"]}\n"
    async with contextlib.aclosing(service.tail.follow(until, new_records)) as follows:
        async for part in follows:
            if part:
                yield part
