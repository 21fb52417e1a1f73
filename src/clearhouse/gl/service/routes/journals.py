"""Journals: entries with their lines, posting one, and undoing one."""

import hashlib
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from clearhouse.gl.journal import LEDGER, Journal, Violation
from clearhouse.gl.service import metrics, tables
from clearhouse.gl.service.answers import JSON, answered, as_json, dollars, ndjson
from clearhouse.gl.service.errors import BadRequestError, JournalRefusedError, NotFoundError
from clearhouse.gl.service.models import (
    JournalIn,
    JournalName,
    JournalOut,
    JournalPage,
    Name,
    PeriodName,
    ReversalIn,
)
from clearhouse.gl.service.posting import Asked, Undoing, post, reversal_of
from clearhouse.gl.service.routes.common import Cursor, Limit, Poster, Reader, ServiceOf, problems
from clearhouse.gl.service.security import Caller, Scope
from clearhouse.gl.service.service import Service

router = APIRouter(prefix="/v1/journals", tags=["journals"])
_E = tables.entry.c
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=100,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key and body again answer with the journal that is stored.",
        examples=["2f1c0a7e-office-insurance"],
    ),
]


class JournalsAsked(BaseModel):
    """A page of entries, in order of period and number."""

    model_config = ConfigDict(extra="forbid")

    fiscal_period: PeriodName | None = None
    entry_type: Name | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


@router.get("", response_model=JournalPage, responses=problems())
def page(
    request: Request,
    service: ServiceOf,
    _caller: Reader,
    asked: Annotated[JournalsAsked, Query()],
) -> Response:
    """A page of entries with their lines."""
    conditions = [_E.ledger == LEDGER]
    if asked.fiscal_period:
        conditions.append(_E.fiscal_period == asked.fiscal_period)
    if asked.entry_type:
        conditions.append(_E.entry_type == asked.entry_type)
    if asked.cursor:
        position = sa.tuple_(_E.fiscal_period, _E.entry_number)
        conditions.append(position > sa.tuple_(*_read_cursor(asked.cursor)))
    statement = sa.select(_E.journal_entry, _E.fiscal_period, _E.entry_number).where(*conditions)
    order = (_E.fiscal_period, _E.entry_number)
    with service.database.reading() as connection:
        rows = connection.execute(statement.order_by(*order).limit(asked.limit + 1)).all()
    shown = rows[: asked.limit]
    following = None
    if len(rows) > asked.limit:
        following = f"{shown[-1].fiscal_period}.{shown[-1].entry_number}"
    data = b",".join(_journals(service, [row.journal_entry for row in shown]))
    return answered(request, b'{"data":[%b],"next_cursor":%b}' % (data, as_json(following)))


@router.get("/{journal_entry}", response_model=JournalOut, responses=problems(404))
def one(
    request: Request,
    service: ServiceOf,
    _caller: Reader,
    journal_entry: Annotated[JournalName, Path(examples=["JE-00000001"])],
) -> Response:
    """One entry with its lines, and by what it was undone."""
    return answered(request, _journal(service, journal_entry))


@router.post("", status_code=201, response_model=JournalOut, responses=problems(409, 413))
def post_journal(
    service: ServiceOf, caller: Poster, body: JournalIn, idempotency_key: IdempotencyKey
) -> Response:
    """Post a journal. It is refused with everything that is wrong, and then nothing is stored."""
    journal, unreadable = body.read(caller.user)
    asked = _asked(caller, idempotency_key, body.model_dump_json())
    return _posted(service, journal, asked, unreadable)


@router.post(
    "/{journal_entry}/reverse",
    status_code=201,
    response_model=JournalOut,
    responses=problems(404, 409, 413),
)
def reverse(
    service: ServiceOf,
    caller: Poster,
    journal_entry: Annotated[JournalName, Path(examples=["JE-00000001"])],
    body: ReversalIn,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Undo an entry, once, by one with its sides swapped, dated in an open period."""
    undoing = Undoing(body.posting_date, caller.user, body.approved_by, body.description)
    journal = reversal_of(service.database, journal_entry, undoing)
    asked = _asked(caller, idempotency_key, f"{journal_entry}{body.model_dump_json()}")
    return _posted(service, journal, asked, [])


def _asked(caller: Caller, idempotency_key: str, text: str) -> Asked:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Asked(idempotency_key, digest, caller.may(Scope.CLOSE))


def _posted(
    service: Service, journal: Journal, asked: Asked, unreadable: list[Violation]
) -> Response:
    try:
        posted = post(service.database, journal, asked, service.clock(), unreadable)
    except JournalRefusedError as refused:
        for each in refused.violations:
            metrics.REFUSED.labels(each.code).inc()
        raise
    headers = {"Location": f"/v1/journals/{posted.journal_entry}"}
    if posted.is_repeated:
        headers["Idempotency-Replayed"] = "true"
    else:
        service.stored(service.lines.last())
    body = _journal(service, posted.journal_entry)
    status = 200 if posted.is_repeated else 201
    return Response(body, status, headers, media_type=JSON)


def _journal(service: Service, name: str) -> bytes:
    found = _journals(service, [name])
    if not found:
        raise NotFoundError(f"The ledger has no {name}.", "unknown_journal")
    return found[0]


def _journals(service: Service, names: list[str]) -> list[bytes]:
    """Entries with their lines as JSON, in the order of their names."""
    other = tables.entry.alias()
    statement = (
        sa.select(tables.entry, other.c.journal_entry.label("reversed_by"))
        .select_from(tables.entry.outerjoin(other, other.c.reverses == _E.journal_entry))
        .where(_E.journal_entry.in_(names))
    )
    with service.database.reading() as connection:
        rows = {row.journal_entry: row for row in connection.execute(statement)}
    lines = service.lines.of_journals(names)
    texts = ndjson(lines).splitlines()
    starts = dict(
        zip(reversed(lines["journal_entry"].to_pylist()), range(len(lines), 0, -1), strict=True)
    )
    found = []
    for name in names:
        if name in rows:
            heading = as_json(_heading(rows[name]))
            first = starts[name] - 1
            own = b",".join(texts[first : first + rows[name].lines])
            found.append(b'%b,"lines":[%b]}' % (heading[:-1], own))
    return found


def _heading(row: Any) -> dict[str, Any]:
    return {
        "journal_entry": row.journal_entry,
        "ledger": row.ledger,
        "fiscal_period": row.fiscal_period,
        "entry_number": row.entry_number,
        "entry_type": row.entry_type,
        "reverses": row.reverses,
        "reversed_by": row.reversed_by,
        "recorded_on": row.recorded_on.isoformat(),
        "debit": dollars(row.debit_minor),
    }


def _read_cursor(text: str) -> tuple[str, int]:
    period, _, number = text.partition(".")
    if not number.isascii() or not number.isdigit() or len(number) > 9 or "\x00" in period:
        raise BadRequestError("The cursor is not one that a page of entries gave.", "bad_cursor")
    return period, int(number)
