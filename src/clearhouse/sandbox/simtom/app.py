"""The simtom server: `/`, `/generators` and `/stream/{generator}`, exact on the wire."""

from functools import partial
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel

from clearhouse.core.window import Window
from clearhouse.sandbox.answers import Answers
from clearhouse.sandbox.faults import FaultPlan
from clearhouse.sandbox.simtom import hostile
from clearhouse.sandbox.simtom.config import GeneratorConfig
from clearhouse.sandbox.simtom.content import History, endless
from clearhouse.sandbox.simtom.faults import LATER_FAULTS, ROW_FAULTS
from clearhouse.sandbox.simtom.options import SimtomOptions
from clearhouse.sandbox.simtom.wire import STREAM

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


def create_app(options: SimtomOptions | None = None) -> FastAPI:
    """A simtom server as an ASGI application.

    Raises:
        UsageError: the options name an unknown fault.
    """
    asked = options or SimtomOptions()
    more = partial(hostile.faults_of, asked.seed) if asked.hostile else None
    answers = Answers(FaultPlan(asked.faults, ROW_FAULTS, LATER_FAULTS, more), asked)
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
        return answers.respond(window, History(seed, config, asked).blocks, STREAM)

    return app


async def _refusal(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    details = [
        each if each["type"] == _BAD_JSON else {**each, "url": _ERROR_PAGE.format(each["type"])}
        for each in error.errors()
    ]
    return JSONResponse({"detail": jsonable_encoder(details)}, 422)
