"""The inference service: the models over HTTP, for one event or a batch.

A body is one case or a list of cases; the answer is one judgement, or as many in their order.
Bodies are read and written by msgspec with the types of `model`, which OpenAPI shows too.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)

from clearhouse.cache.rate_limit import RateLimit
from clearhouse.cache.shared import SharedRedis
from clearhouse.core import tracing
from clearhouse.core.listening import check_is_free
from clearhouse.payments.inference import examples
from clearhouse.payments.inference.client import CHURN_PATH, FRAUD_PATH, RETRY_PATH
from clearhouse.payments.inference.families import retry_plan
from clearhouse.payments.inference.model import (
    Case,
    ChurnPrediction,
    FraudScore,
    Judgement,
    RetryPlan,
)
from clearhouse.payments.inference.scorecards import churn_prediction, fraud_score
from clearhouse.settings import Settings

MOST_BYTES = 8 << 20
MOST_CASES = 2_000
_GRACE_SECONDS = 5
_JSON = "application/json"
_TRACE = ("traceparent", "tracestate")
_CASES = msgspec.json.Decoder(Case | list[Case])
_ENCODE = msgspec.json.Encoder().encode
_log = structlog.get_logger()

_Answer = Callable[[Request], Awaitable[Response]]


class RefusedError(Exception):
    """A request that can't be answered: a status, a code, a sentence, and headers of the answer."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers


class Metrics:
    """What Prometheus is told; each application has its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "inference_requests",
            "Answers by path and status.",
            ["path", "status"],
            registry=self._registry,
        )
        self.judged = Counter(
            "inference_judged",
            "Events judged, by model and outcome.",
            ["model", "outcome"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "inference_request_seconds",
            "From a request to its answer, by path.",
            ["path"],
            buckets=(0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5),
            registry=self._registry,
        )

    def exposition(self) -> bytes:
        """All of it as text."""
        return generate_latest(self._registry)


def create_app(limit: RateLimit | None = None) -> FastAPI:
    """The service as an ASGI application.

    Args:
        limit: on the requests of each client, by its address; None: there is none.
    """
    app = FastAPI(
        title="Inference",
        version="1",
        description="Deterministic baselines for fraud, retries and churn of payments. Every "
        "answer names its model and the reasons of what it says.",
        lifespan=_sending_traces,
    )
    metrics = Metrics()
    for path, judge, answered, summary in (
        (FRAUD_PATH, fraud_score, FraudScore, "How likely an event is fraud"),
        (RETRY_PATH, retry_plan, RetryPlan, "Whether and when to try again what failed"),
        (CHURN_PATH, churn_prediction, ChurnPrediction, "How likely a customer is lost"),
    ):
        app.add_api_route(
            path,
            _route(path, judge, metrics, limit),
            methods=["POST"],
            name=path.strip("/").replace("/", "_"),
            summary=summary,
            response_class=Response,
            openapi_extra=examples.operation(answered),
        )
    _add_state(app, metrics)
    app.add_exception_handler(RefusedError, _refused)
    described = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = described()
            schema.setdefault("components", {}).setdefault("schemas", {}).update(examples.schemas())
        return described()

    app.openapi = openapi  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _sending_traces(_app: FastAPI) -> AsyncIterator[None]:
    tracing.start("inference")
    try:
        yield
    finally:
        await asyncio.to_thread(tracing.stop)  # the server ends the process by the signal it got


def _add_state(app: FastAPI, metrics: Metrics) -> None:
    @app.get("/health/live", summary="Whether the process answers")
    @app.get("/health/ready", summary="Whether it can be asked: it needs nothing but itself")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
    async def exposition() -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


def _route(
    path: str, judge: Callable[..., Judgement], metrics: Metrics, limit: RateLimit | None
) -> _Answer:
    async def answer(request: Request) -> Response:
        begun, status = time.perf_counter(), HTTPStatus.INTERNAL_SERVER_ERROR
        try:
            with tracing.within(_carried(request)), tracing.span("judge", "server", {"path": path}):
                if limit is not None:
                    await _let_in(request, limit)
                answered = _judged(judge, _cases(await _body(request)), metrics)
            status = HTTPStatus.OK
            return Response(answered, media_type=_JSON)
        except RefusedError as error:
            status = error.status
            raise
        finally:
            metrics.requests.labels(path, str(int(status))).inc()
            metrics.seconds.labels(path).observe(time.perf_counter() - begun)

    return answer


def _judged(judge: Callable[..., Judgement], asked: Case | list[Case], metrics: Metrics) -> bytes:
    """What a model says of one case, or of each of a list, as JSON."""
    cases = asked if isinstance(asked, list) else [asked]
    found = [judge(case.event, case.history) for case in cases]
    for each in found:
        metrics.judged.labels(each.model, each.outcome).inc()
    return _ENCODE(found if isinstance(asked, list) else found[0])


def _carried(request: Request) -> tracing.Headers:
    """The headers of a request that carry a trace."""
    return [(name, request.headers[name]) for name in _TRACE if name in request.headers]


async def _let_in(request: Request, limit: RateLimit) -> None:
    client = request.client.host if request.client else ""
    if limit.may_block:
        wait = await run_in_threadpool(limit.wait_seconds, client)
    else:
        wait = limit.wait_seconds(client)
    if wait:
        raise RefusedError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_requests",
            "Too many requests of this client: send several cases at a time, or later.",
            {"Retry-After": str(math.ceil(wait))},
        )


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "body_too_large",
                f"The body has more than {MOST_BYTES} bytes: send fewer cases at a time.",
            )
    return bytes(body)


def _cases(body: bytes) -> Case | list[Case]:
    try:
        asked: Case | list[Case] = _CASES.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(
            HTTPStatus.BAD_REQUEST, "case_malformed", f"The body is no case: {error}."
        ) from None
    if isinstance(asked, list) and len(asked) > MOST_CASES:
        raise RefusedError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_many_cases",
            f"A batch has at most {MOST_CASES} cases.",
        )
    return asked


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101  (what it is registered for)
    body = {"code": error.code, "detail": error.detail}
    return Response(_ENCODE(body), error.status, error.headers, media_type=_JSON)


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until a signal ends it; answers in progress are finished.

    Args:
        settings: say how often a client may ask, and where processes count that together.
        host: address to listen at.
        port: the same.

    Raises:
        UsageError: nothing can listen there (address_in_use).
    """
    import uvicorn

    check_is_free(host, port)
    shared = SharedRedis(settings.redis_url.get_secret_value() if settings.redis_url else None)
    limit = RateLimit(shared, "inference", settings.inference_requests_per_minute)
    uvicorn.run(
        create_app(limit),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
