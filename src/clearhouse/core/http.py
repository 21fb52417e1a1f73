"""One careful way to ask an outside system over HTTP.

Every source goes through `ResilientClient`, so that all of them share one policy: time-outs, a
bounded number of requests side by side, a rate limit, retries with exponential back-off and
jitter, Retry-After, and a circuit breaker.

- An attempt is the request and the reading of its whole answer. A stream that breaks in the
  middle is asked for again from its beginning; nothing of the broken one is kept.
- Retried: transport errors, time-outs, 408, 429, 5xx, and an answer that its reader calls broken
  (`RetryableAnswer`). Any other 3xx or 4xx is refused at once: asking again would not mend it.
- The circuit counts what says that the source is down (no connection, no answer, 5xx), never
  what says that one answer is bad, so that one broken day can't stop its neighbours.
- Nothing here puts a query string, a header or a body of ours into a message.
"""

import asyncio
import json as jsonlib
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import stamina
from aiolimiter import AsyncLimiter
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from clearhouse.core.errors import SettingsError, SourceError
from clearhouse.core.retry_after import wait_asked_for

T = TypeVar("T")

# httpx logs whole URLs at level INFO, and some sources want their key in the query string.
logging.getLogger("httpx").setLevel(logging.WARNING)

_RETRIED_STATUSES = frozenset({408, 429})
_MAX_ERROR_BODY_BYTES = 1 << 16
_MAX_REASON_LENGTH = 200


@dataclass(frozen=True, slots=True)
class HttpPolicy:
    """How patient, how fast and how careful a client is. Times in seconds."""

    attempts: int = 5
    wait_initial_seconds: float = 0.5
    wait_max_seconds: float = 20.0
    wait_jitter_seconds: float = 1.0
    retry_after_max_seconds: float = 120.0
    """A source that asks for more is asked again after this long: none stops a run for ever."""
    connect_timeout_seconds: float = 10.0
    read_timeout_seconds: float = 60.0
    """The longest silence, before the answer or within it."""
    attempt_timeout_seconds: float = 900.0
    """A whole attempt: a stream that drips without end must end."""
    requests_per_second: float = 50.0
    concurrency: int = 4
    circuit_failures: int | None = None
    """Failures in a row that open the circuit. None: as many as `concurrency` requests use up with
    all their attempts, so that it opens on an outage and not on a hiccup that each one meets."""
    circuit_reset_seconds: float = 30.0
    max_json_bytes: int = 16 << 20

    def __post_init__(self) -> None:
        positive = {
            "attempts": self.attempts,
            "requests_per_second": self.requests_per_second,
            "concurrency": self.concurrency,
            "circuit_failures": self.failures_of_an_outage,
        }
        for name, value in positive.items():
            if value <= 0:
                raise SettingsError(f"HTTP setting {name} is {value}: it must be more than 0.")

    @property
    def failures_of_an_outage(self) -> int:
        """Failures in a row that open the circuit."""
        if self.circuit_failures is None:
            return self.concurrency * self.attempts
        return self.circuit_failures


class RetryableAnswer(SourceError):  # noqa: N818 (an answer is what it speaks of)
    """Raised by the reader of an answer that is broken as it stands: the attempt is made again."""

    code = "source_answer_broken"


class _BadStatusError(Exception):
    """An answer with a status other than 2xx."""

    def __init__(self, status: int, retry_after_seconds: float | None, reason: str) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.reason = reason

    @property
    def retryable(self) -> bool:
        return self.status >= 500 or self.status in _RETRIED_STATUSES


class ResilientClient:
    """Asks one outside system, named for people, at one base URL.

    Args:
        base_url: http or https, with host and, where needed, a path that all requests share.
        name: what messages call the source.
        policy: time-outs, retries, limits.
        headers: sent with every request (keys belong here); never logged.
        transport: another way to the source, for tests.

    Raises:
        SettingsError: the base URL is not one.
    """

    def __init__(
        self,
        base_url: str,
        *,
        name: str,
        policy: HttpPolicy | None = None,
        headers: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self.policy = policy = policy or HttpPolicy()
        self._client = httpx.AsyncClient(
            base_url=_checked(base_url, name),
            headers={"User-Agent": "clearhouse", **(headers or {})},
            timeout=httpx.Timeout(
                policy.read_timeout_seconds, connect=policy.connect_timeout_seconds, pool=None
            ),
            limits=httpx.Limits(
                max_connections=policy.concurrency, max_keepalive_connections=policy.concurrency
            ),
            transport=transport,
        )
        self._slots = asyncio.Semaphore(policy.concurrency)
        burst = max(policy.requests_per_second, 1.0)
        self._limiter = AsyncLimiter(burst, burst / policy.requests_per_second)
        self._circuits = AsyncCircuitBreakerFactory(
            default_threshold=policy.failures_of_an_outage,
            default_ttl=policy.circuit_reset_seconds,
            exclude=[(BaseException, _says_nothing_of_the_source)],
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def request_json(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Any:
        """The parsed JSON answer; numbers with a fraction come as Decimal, never as float.

        Raises:
            SourceError: see `exchange`; an answer that is not JSON is tried again first.
        """

        async def consume(response: httpx.Response) -> Any:
            body = await read_bounded(response, self.policy.max_json_bytes)
            try:
                return jsonlib.loads(body, parse_float=Decimal)
            except ValueError:
                raise RetryableAnswer("it is not JSON") from None

        return await self.exchange(method, path, json=json, params=params, consume=consume)

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        consume: Callable[[httpx.Response], Awaitable[T]],
        json: Any = None,
        params: Mapping[str, str | int] | None = None,
    ) -> T:
        """Send a request and have its streamed answer read by `consume`, as often as is needed.

        Args:
            method: GET, POST and so on; it may be sent more than once.
            path: below the base URL.
            consume: reads a 2xx answer whose body has not been read; what it returns is the
                result. It keeps nothing of an attempt that fails.
            json: body, sent as JSON.
            params: query string.

        Raises:
            SourceError: code source_refused (another 3xx or 4xx), source_unavailable (the
                circuit is open), source_unreachable, source_failed or the code of the last
                RetryableAnswer (all attempts used up).
        """
        request = self._client.build_request(method, path, json=json, params=params)
        policy, tries = self.policy, 0
        try:
            async for attempt in stamina.retry_context(
                on=self._retry_after,
                attempts=policy.attempts,
                timeout=None,
                wait_initial=policy.wait_initial_seconds,
                wait_max=policy.wait_max_seconds,
                wait_jitter=policy.wait_jitter_seconds,
            ):
                with attempt:
                    tries = attempt.num
                    # The slot is given back while this request waits for its next attempt.
                    async with self._slots:
                        await self._limiter.acquire()
                        async with asyncio.timeout(policy.attempt_timeout_seconds):
                            return await self._attempt(request, consume)
        except OpenedState:
            raise self._unavailable(request) from None
        except (RetryableAnswer, _BadStatusError, httpx.HTTPError, TimeoutError) as error:
            # The cause is not chained: a transport's own text can hold a header's value.
            raise self._final(error, request, tries) from None
        raise AssertionError("stamina always ends with an answer or an error")

    async def _attempt(
        self, request: httpx.Request, consume: Callable[[httpx.Response], Awaitable[T]]
    ) -> T:
        async with await self._circuits.get_breaker(self.name):
            response = await self._client.send(request, stream=True)
            if response.status_code >= 500:
                await response.aclose()
                raise _BadStatusError(response.status_code, wait_asked_for(response), "")
        try:
            if not response.is_success:
                reason = _reason(await _beginning(response))
                raise _BadStatusError(response.status_code, wait_asked_for(response), reason)
            return await consume(response)
        finally:
            await response.aclose()

    def _retry_after(self, error: Exception) -> bool | float:
        """Answer to stamina: no, yes after the usual wait, or yes after so many seconds."""
        if isinstance(error, _BadStatusError):
            if not error.retryable or error.retry_after_seconds is None:
                return error.retryable
            wait_seconds = min(error.retry_after_seconds, self.policy.retry_after_max_seconds)
            # Many requests are told the same second: they must not all come back in it.
            return wait_seconds + random.uniform(0, self.policy.wait_jitter_seconds)  # noqa: S311
        if isinstance(error, httpx.LocalProtocolError):
            return False
        retried = (RetryableAnswer, httpx.TransportError, httpx.DecodingError, TimeoutError)
        return isinstance(error, retried)

    def _unavailable(self, request: httpx.Request) -> SourceError:
        return SourceError(
            f"{self.name} failed {self.policy.failures_of_an_outage} times in a row, so "
            f"{_told(request)} was not sent: wait {self.policy.circuit_reset_seconds:g} s or "
            "longer, check that it is up, and run again.",
            "source_unavailable",
        )

    def _final(self, error: Exception, request: httpx.Request, tries: int) -> SourceError:
        where, times = _told(request), f"{tries} time{'s' if tries != 1 else ''}"
        match error:
            case RetryableAnswer():
                return SourceError(
                    f"{self.name} sent a broken answer to {where} (tried {times}): "
                    f"{error.message}; nothing of it was kept, so run again later.",
                    error.code,
                )
            case _BadStatusError(retryable=False):
                return SourceError(
                    f"{self.name} refused {where} with status {error.status}{error.reason}: mend "
                    "the request, or the URL or key set for this source.",
                    "source_refused",
                )
            case _BadStatusError():
                return SourceError(
                    f"{self.name} answered {where} with status {error.status} (tried {times}): "
                    "run again later.",
                    "source_failed",
                )
            case httpx.ConnectError() | httpx.ConnectTimeout():
                return SourceError(
                    f"{self.name} can't be reached for {where} (tried {times}): check that it "
                    "runs and that the URL set for it is right.",
                    "source_unreachable",
                )
        return SourceError(
            f"{self.name} broke off {where} with {type(error).__name__} (tried {times}): nothing "
            "of the answer was kept, so run again later.",
            "source_failed",
        )


async def read_bounded(response: httpx.Response, max_bytes: int) -> bytes:
    """The whole body of an answer, decoded from its transfer and content encodings.

    Raises:
        SourceError: it is longer than max_bytes; not retried, as it would be as long again.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > max_bytes:
            raise SourceError(
                f"The answer to {_told(response.request)} is longer than {max_bytes} bytes: ask "
                "for less at a time, or raise the limit.",
                "answer_too_large",
            )
        chunks.append(chunk)
    return b"".join(chunks)


async def _beginning(response: httpx.Response) -> bytes:
    """As much of an error answer as its reason can need."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MAX_ERROR_BODY_BYTES:
            break
    return body


def _says_nothing_of_the_source(error: BaseException) -> bool:
    """Whether a failure leaves open that the source is up, for the circuit breaker."""
    return not isinstance(error, (httpx.TransportError, _BadStatusError))


def _told(request: httpx.Request) -> str:
    """Method and URL for a message: without user, password and query string."""
    url = request.url
    port = "" if url.port is None else f":{url.port}"
    return f"{request.method} {url.scheme}://{url.host}{port}{url.path}{'?…' if url.query else ''}"


def _reason(body: bytes) -> str:
    """The `detail` of an error answer in FastAPI's form, as " (…)"; "" where there is none.

    Of a list of faults only place and text are told: `input` can repeat what was sent.
    """
    try:
        detail = jsonlib.loads(body)["detail"]
        if isinstance(detail, list):
            detail = "; ".join(f"{'.'.join(map(str, d['loc']))}: {d['msg']}" for d in detail)
    except (ValueError, KeyError, TypeError):
        return ""
    text = " ".join(str(detail).split())
    return f" ({text[:_MAX_REASON_LENGTH]})" if text else ""


def _checked(base_url: str, name: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise SettingsError(
            f"The URL set for {name} is not usable: write it as http://host:port or https://host."
        )
    return url
