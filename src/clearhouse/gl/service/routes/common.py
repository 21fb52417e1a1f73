"""What the routes share: who asks, of which service, and which lines."""

import math
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, ConfigDict, Field

from clearhouse.core.problems import PROBLEM_JSON
from clearhouse.gl.service.errors import BadRequestError, TooManyRequestsError
from clearhouse.gl.service.models import Day, JournalName, Name, PeriodName, Problem
from clearhouse.gl.service.reading import Selection
from clearhouse.gl.service.security import Caller, Scope
from clearhouse.gl.service.service import Service

_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="A key of this service.")
_MOST_ID = 2**63 - 1


def service_of(request: Request) -> Service:
    """The service that the application belongs to."""
    found: Service = request.app.state.service
    return found


ServiceOf = Annotated[Service, Depends(service_of)]


class _Having:
    """Lets callers with a scope in, and not more often than the limit allows."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def __call__(
        self, service: ServiceOf, key: Annotated[str | None, Depends(_header)]
    ) -> Caller:
        caller = service.keys.caller(key, self._scope)
        limit = service.shared.limit
        if limit.may_block:
            wait = await run_in_threadpool(limit.wait_seconds, caller.user)
        else:
            wait = limit.wait_seconds(caller.user)
        if wait:
            raise TooManyRequestsError(
                "Too many requests with this key.", headers={"Retry-After": str(math.ceil(wait))}
            )
        return caller


Reader = Annotated[Caller, Depends(_Having(Scope.READ))]
Poster = Annotated[Caller, Depends(_Having(Scope.POST))]
Closer = Annotated[Caller, Depends(_Having(Scope.CLOSE))]
Admin = Annotated[Caller, Depends(_Having(Scope.ADMIN))]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Errors of a call, for its OpenAPI description."""
    content = {PROBLEM_JSON: {"schema": Problem.model_json_schema()}}
    return {
        status: {"description": _MEANING[status], "content": content}
        for status in (401, 403, 422, 429, 503, *statuses)
    }


_MEANING = {
    400: "Can't be read",
    401: "No key, or an unknown one",
    403: "The key lacks the scope",
    404: "There is no such thing",
    409: "Not in this state",
    413: "Too large",
    422: "Refused, with the reasons",
    429: "Too often",
    503: "Not ready",
}

Limit = Annotated[int, Field(ge=1, le=1_000, description="Records of a page.")]
Cursor = Annotated[str, Field(max_length=400, description="next_cursor of the page before.")]
After = Annotated[int, Field(ge=0, le=_MOST_ID, description="Only lines with a greater id.")]


class Which(BaseModel):
    """Which lines. Dates are included on both sides."""

    model_config = ConfigDict(extra="forbid")

    account_code: Annotated[str, Field(pattern="^[0-9]{4}$")] | None = Field(
        None, examples=["5100"]
    )
    well_id: Name | None = None
    lease_name: Name | None = None
    property_id: Name | None = None
    cost_center: Name | None = None
    journal_source: Name | None = Field(None, examples=["AP"])
    transaction_type: Name | None = None
    entry_type: Name | None = None
    fiscal_period: PeriodName | None = None
    journal_entry: JournalName | None = None
    party_id: Name | None = None
    recorded_on: Day | None = Field(None, description="Both of the two that follow.")
    recorded_from: Day | None = None
    recorded_to: Day | None = None
    posting_from: Day | None = None
    posting_to: Day | None = None
    transaction_from: Day | None = None
    transaction_to: Day | None = None

    def selection(self) -> Selection:
        """The lines.

        Raises:
            BadRequestError: `recorded_on` and one of its two bounds are given.
        """
        given = self.model_dump(include=set(Which.model_fields) - {"recorded_on"})
        if self.recorded_on is not None:
            if self.recorded_from or self.recorded_to:
                raise BadRequestError("Give recorded_on, or recorded_from and recorded_to.")
            given |= {"recorded_from": self.recorded_on, "recorded_to": self.recorded_on}
        return Selection(**given)


class LinesAsked(Which):
    """A page of lines."""

    sort: Literal[
        "gl_entry_id", "-gl_entry_id", "transaction_date", "-transaction_date", "posting_date",
        "-posting_date", "account_code", "-account_code",
    ] = "gl_entry_id"  # fmt: skip
    cursor: Cursor | None = None
    limit: Limit = 100


class ExportAsked(Which):
    """An export of lines."""

    format: Literal["ndjson", "csv", "parquet"] = "ndjson"
    after: After = 0


AskedLines = Annotated[LinesAsked, Query()]
AskedExport = Annotated[ExportAsked, Query()]
