"""The gateway's application: webhooks, health, metrics, and what OpenAPI says of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from clearhouse.core import service_metrics, tracing
from clearhouse.core.problems import PROBLEM_JSON, problem
from clearhouse.log.log import Log, LogError
from clearhouse.payments.gateway import openapi
from clearhouse.payments.gateway.intake import GatewayOptions, Intake
from clearhouse.payments.gateway.webhooks import RETRY_AFTER_SECONDS, Webhooks
from clearhouse.payments.log_opening import open_payment_log

__all__ = ["GatewayOptions", "create_app"]


def create_app(options: GatewayOptions) -> Webhooks:
    """The gateway as an ASGI application. Its log is opened when it starts."""
    app = FastAPI(
        title="Payments gateway",
        version="1",
        description="Takes webhooks of payment providers. An answer 2xx says that the event log "
        "has the webhook durably; every error is a problem+json with a `code`.",
        lifespan=partial(_running, options),
    )
    app.add_exception_handler(HTTPException, _told)
    _add_state(app)
    openapi.describe(app)
    return Webhooks(app, options.accounts, lambda: app.state.intake, options.most_bytes)


def opened_log(options: GatewayOptions) -> Log:
    """The log of a gateway.

    Raises:
        LogError: it can't be opened.
    """
    if options.open_log is not None:
        return options.open_log()
    return open_payment_log(options.log)


@contextlib.asynccontextmanager
async def _running(options: GatewayOptions, app: FastAPI) -> AsyncIterator[None]:
    app.state.intake = Intake(opened_log(options), options.certificates, options.clock)
    try:
        yield
    finally:
        await app.state.intake.close()
        await asyncio.to_thread(tracing.stop)  # the server ends the process by the signal it got


def _add_state(app: FastAPI) -> None:
    @app.get("/health/live", summary="Whether the process answers", tags=["state"])
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get(
        "/health/ready",
        summary="Whether webhooks are taken: the log can be read and written",
        tags=["state"],
        responses={503: openapi.problem_response("The log is down.")},
    )
    async def ready() -> Response:
        try:
            await app.state.intake.check()
        except LogError as error:
            return _problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "log_unavailable",
                error.message,
                {"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        return Response(b'{"status":"ready"}', media_type="application/json")

    @app.get("/metrics", include_in_schema=False)
    async def exposition() -> Response:
        with contextlib.suppress(LogError):  # told by the metric itself
            await app.state.intake.check()
        return Response(service_metrics.exposition(), media_type=service_metrics.CONTENT_TYPE)


async def _told(_request: Request, error: Exception) -> Response:
    """What the framework refuses, such as a path that is not there."""
    assert isinstance(error, HTTPException)  # noqa: S101  (what it is registered for)
    status = HTTPStatus(error.status_code)
    return _problem(status, status.name.lower(), str(error.detail), error.headers)


def _problem(status: HTTPStatus, code: str, detail: str, headers: Any = None) -> Response:
    body = msgspec.json.encode(problem("gateway", status, code, detail))
    return Response(body, status, headers=headers, media_type=PROBLEM_JSON)
