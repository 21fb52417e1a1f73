"""What Prometheus is told: requests, the state of the ledger, the stream, and refusals."""

import time

from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter(
    "gl_requests", "Answers by route, method and status.", ["route", "method", "status"]
)
SECONDS = Histogram(
    "gl_request_seconds",
    "From a request to the end of its answer.",
    ["route", "method"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)
LINES_STORED = Gauge("gl_lines_stored", "Lines of the ledger.", multiprocess_mode="max")
LAST_RECORDED = Gauge(
    "gl_last_recorded_timestamp_seconds",
    "When this service last stored lines, or else when it was ready to.",
    multiprocess_mode="max",
)
STREAM_CLIENTS = Gauge(
    "gl_stream_clients", "Clients that follow the stream.", multiprocess_mode="livesum"
)
REFUSED = Counter("gl_postings_refused", "Violations of refused postings by code.", ["code"])


class Measured:
    """Counts and times every answer. Streams are counted, and not timed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), "500"

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if route != "other" else "other"
            REQUESTS.labels(route, method, status).inc()
            if not route.endswith("/stream") and route != "/get-gl":
                SECONDS.labels(route, method).observe(time.perf_counter() - begun)
