"""Fiscal periods: their states, and opening, closing, locking and reopening them."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from clearhouse.gl.periods import Change, Period
from clearhouse.gl.periods import Request as PeriodRequest
from clearhouse.gl.service.answers import JSON, answered, as_json, dollars
from clearhouse.gl.service.closing import change_period, events_of
from clearhouse.gl.service.errors import NotAllowedError, NotFoundError
from clearhouse.gl.service.models import PeriodChangeIn, PeriodName, PeriodOut, PeriodWithEvents
from clearhouse.gl.service.recorder import periods_of
from clearhouse.gl.service.routes.common import Closer, Reader, ServiceOf, problems
from clearhouse.gl.service.security import Scope
from clearhouse.gl.service.service import Service

router = APIRouter(prefix="/v1/periods", tags=["periods"])
Named = Annotated[PeriodName, Path(examples=["2026-02"])]


@router.get("", response_model=list[PeriodOut], responses=problems())
def listed(request: Request, service: ServiceOf, _caller: Reader) -> Response:
    """All periods in their order."""
    with service.database.reading() as connection:
        periods = periods_of(connection)
    return answered(request, as_json([_shown(each) for each in periods]))


@router.get("/{fiscal_period}", response_model=PeriodWithEvents, responses=problems(404))
def one(request: Request, service: ServiceOf, _caller: Reader, fiscal_period: Named) -> Response:
    """A period, what was done with it, and its closing certificates."""
    return answered(request, _with_events(service, fiscal_period))


@router.post(
    "/{fiscal_period}/{change}", response_model=PeriodWithEvents, responses=problems(404, 409, 413)
)
def change(
    service: ServiceOf, caller: Closer, fiscal_period: Named, change: Change, body: PeriodChangeIn
) -> Response:
    """Open, soft-close, close, lock or reopen a period. Locking takes the scope `admin`.

    Periods close in their order and are reopened newest first, with a reason and an approver.
    """
    if change is Change.LOCK and not caller.may(Scope.ADMIN):
        raise NotAllowedError("Locking a period takes the scope admin.")
    now = service.clock()
    request = PeriodRequest(change, now.date(), caller.user, body.approved_by, body.reason)
    with service.database.writing() as connection:
        change_period(connection, request, fiscal_period, now)
    return Response(_with_events(service, fiscal_period), media_type=JSON)


def _with_events(service: Service, name: str) -> bytes:
    with service.database.reading() as connection:
        period = next((each for each in periods_of(connection) if each.name == name), None)
        events = events_of(connection, name)
    if period is None:
        raise NotFoundError(f"The ledger has no period {name}.", "unknown_period")
    return as_json({**_shown(period), "events": [_event(each) for each in events]})


def _shown(period: Period) -> dict[str, str]:
    return {
        "fiscal_period": period.name,
        "first_day": period.first_day.isoformat(),
        "last_day": period.last_day.isoformat(),
        "status": period.status,
    }


def _event(row: dict[str, Any]) -> dict[str, Any]:
    shown = {name: row[name] for name in ("change", "status", "asked_by", "approved_by", "reason")}
    certificate = None
    if row["digest"] is not None:
        certificate = {
            "entries": row["entries"],
            "lines": row["lines"],
            "debit": dollars(row["debit_minor"]),
            "digest": row["digest"],
            "voided": row["voided"],
        }
    return {**shown, "at": row["at"].isoformat(), "certificate": certificate}
