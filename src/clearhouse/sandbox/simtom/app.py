"""The simtom server: `/`, `/generators` and `/stream/{generator}`, exact on the wire."""

import datetime as dt
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel
from starlette.types import Send

from clearhouse.core.window import Window
from clearhouse.sandbox.faults import (
    SLOW,
    TOO_MANY_REQUESTS,
    UNAVAILABLE_UNTIL,
    FaultPlan,
)
from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.simtom import hostile
from clearhouse.sandbox.simtom.config import GeneratorConfig
from clearhouse.sandbox.simtom.faults import ROW_FAULTS
from clearhouse.sandbox.simtom.history import Accident, History, StreamCut
from clearhouse.sandbox.simtom.live import endless

GENERATOR = "bnpl"
MAX_DAILY_VOLUME = 2_000_000
"""simtom has no such bound; without one, a typing error would take all of the machine's memory."""

# As recorded: simtom's validation errors name the page of the pydantic it was built with.
_ERROR_PAGE = "https://errors.pydantic.dev/2.14/v/{}"
_BAD_JSON = "json_invalid"


class HealthResponse(BaseModel):  # noqa: D101  (a docstring would show in the schema)
    status: str = "healthy"
    version: str = "0.1.0"
    generators_available: int = 0


class GeneratorInfo(BaseModel):  # noqa: D101
    name: str
    description: str | None = None
    config_schema: dict[str, Any]


class CuttableStream(StreamingResponse):
    """A stream that a `StreamCut` leaves unfinished, so that the server drops the connection."""

    async def stream_response(self, send: Send) -> None:
        """Sends the head and the chunks; without the last one after a cut."""
        try:
            await super().stream_response(send)
        except StreamCut:
            return


def create_app(options: SandboxOptions | None = None) -> FastAPI:
    """A simtom server as an ASGI application.

    Raises:
        UsageError: the options name a fault that there is not.
    """
    asked = options or SandboxOptions()
    more = partial(hostile.faults_of, asked.seed) if asked.hostile else None
    plan = FaultPlan(asked.faults, ROW_FAULTS, more)
    app = FastAPI(
        title="SIMTOM",
        description="Realistic data simulator for ML system testing",
        version="0.1.0",
    )
    app.add_exception_handler(RequestValidationError, _refusal)

    @app.get("/")
    async def health_check() -> HealthResponse:
        return HealthResponse(generators_available=1)

    @app.get("/generators")
    async def list_generators() -> list[GeneratorInfo]:
        schema = GeneratorConfig.model_json_schema()
        description = "Buy-now-pay-later purchases with their risk"
        return [GeneratorInfo(name=GENERATOR, description=description, config_schema=schema)]

    @app.post("/stream/{generator_name}")
    async def stream_data(generator_name: str, config: GeneratorConfig) -> Response:
        if generator_name != GENERATOR:
            raise HTTPException(404, f"Unknown generator: {generator_name}")
        if config.base_daily_volume > MAX_DAILY_VOLUME:
            raise HTTPException(422, f"The sandbox makes at most {MAX_DAILY_VOLUME} records a day")
        seed = config.seed or asked.seed
        if config.start_date is None or config.end_date is None:
            return StreamingResponse(endless(seed, config), media_type="text/plain")
        window = Window(config.start_date, config.end_date)
        refusal = plan.refusal(window)
        if refusal is not None:
            return _try_later(refusal, asked.retry_after_seconds)
        ends = plan.broken_ends(window)
        accident = Accident(
            slow=plan.strikes(SLOW, window),
            ends=ends,
            later=frozenset() if ends else plan.give(window),
        )
        history = History(seed, config, asked, plan, accident)
        return CuttableStream(history.chunks(window), media_type="text/plain")

    return app


def _try_later(refusal: str, seconds: int) -> Response:
    """An answer that asks the client to come back: after so many seconds, or from a moment on."""
    status = (
        HTTPStatus.TOO_MANY_REQUESTS
        if refusal == TOO_MANY_REQUESTS
        else HTTPStatus.SERVICE_UNAVAILABLE
    )
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    told = format_datetime(moment, usegmt=True) if refusal == UNAVAILABLE_UNTIL else str(seconds)
    return JSONResponse({"detail": status.phrase}, status, {"Retry-After": told})


async def _refusal(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    details = [
        each if each["type"] == _BAD_JSON else {**each, "url": _ERROR_PAGE.format(each["type"])}
        for each in error.errors()
    ]
    return JSONResponse({"detail": jsonable_encoder(details)}, 422)
