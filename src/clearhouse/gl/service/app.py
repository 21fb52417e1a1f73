"""The application: its routes, one way with errors, and its start and stop."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearhouse.core.errors import ClearhouseError, ServerError
from clearhouse.core.problems import PROBLEM_JSON
from clearhouse.gl.journal import Violation
from clearhouse.gl.service import legacy
from clearhouse.gl.service.answers import as_json
from clearhouse.gl.service.errors import (
    BadRequestError,
    NotReadyError,
    ServiceError,
    problem,
)
from clearhouse.gl.service.metrics import Measured
from clearhouse.gl.service.routes import accounts, journals, lines, periods, state
from clearhouse.gl.service.service import Service, ServiceOptions

_MOST_BYTES = 4 << 20
_log = structlog.get_logger()


def create_app(options: ServiceOptions) -> FastAPI:
    """The service as an ASGI application. Its store is opened when it starts."""
    app = FastAPI(
        title="General ledger",
        version=legacy.VERSION,
        description="A double-entry general ledger of an oil and gas operator. "
        "Amounts are texts with two decimals; every error is a problem+json with a `code`.",
        lifespan=_running,
    )
    app.state.service = Service(options)
    for router in (lines.router, journals.router, accounts.router, periods.router, state.router):
        app.include_router(router)
    if options.has_original_paths:
        app.include_router(legacy.router)
    for kind in (
        RequestValidationError,
        HTTPException,
        ClearhouseError,
        sa.exc.DBAPIError,
        Exception,
    ):
        app.add_exception_handler(kind, _told)
    app.add_middleware(_Bounded)
    app.add_middleware(Measured)
    return app


@contextlib.asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    work = asyncio.create_task(service.run())
    work.add_done_callback(lambda ended: _see_how_it_ended(service, ended))
    _end_streams_at_signals(service)
    try:
        yield
    finally:
        service.end_streams()
        work.cancel()
        await asyncio.wait([work])
        service.close()


def _see_how_it_ended(service: Service, work: "asyncio.Task[None]") -> None:
    """Nothing comes into the ledger any more, and nothing goes on to its streams: say so."""
    if not work.cancelled() and (error := work.exception()) is not None:
        _log.error("service_stopped", error=repr(error))
        service.give_up()


def _end_streams_at_signals(service: Service) -> None:
    """The server waits for answers to end before it stops, and streams have no end."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if callable(before):
            signal.signal(
                number, _first(lambda: loop.call_soon_threadsafe(service.end_streams), before)
            )


def _first(action: Callable[[], Any], then: Callable[..., Any]) -> Callable[..., Any]:
    def handle(*arguments: Any) -> Any:
        action()
        return then(*arguments)

    return handle


def _told(_request: Request, error: Exception) -> Response:
    """Any error as a problem."""
    found = _as_service_error(error)
    if found.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request_failed", exc_info=error)
    return Response(
        as_json(problem(found)), found.status, headers=found.headers, media_type=PROBLEM_JSON
    )


def _as_service_error(error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, RequestValidationError):
        return BadRequestError("The request can't be read.", violations=_violations(error))
    if isinstance(error, HTTPException):
        return _of_status(error)
    if isinstance(error, ServerError | sa.exc.OperationalError):
        return NotReadyError(
            "The store does not answer: try again.",
            "store_unavailable",
            headers={"Retry-After": "2"},
        )
    return ServiceError("This is a defect of the service.")


def _of_status(error: HTTPException) -> ServiceError:
    """What the framework refuses, such as a path that is not there."""
    status = HTTPStatus(error.status_code)
    found = ServiceError(str(error.detail), status.name.lower(), headers=error.headers)
    found.status = status
    return found


def _violations(error: RequestValidationError) -> list[Violation]:
    return [
        Violation(each["type"], each["msg"], ".".join(map(str, each["loc"])))
        for each in error.errors()[:100]
    ]


class _Bounded:
    """Refuses bodies over a size, whether or not they say theirs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        stated = Headers(scope=scope).get("Content-Length", "")
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            if stated.isdecimal() and int(stated) > _MOST_BYTES:  # it is not waited for
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > _MOST_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
            return message

        await self._app(scope, counted, send)
