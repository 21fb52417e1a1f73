"""One careful way to ask an outside system over HTTP.

Every source goes through `ResilientClient`, so that all of them share one policy: time-outs, a
bounded number of requests side by side, a rate limit, retries with exponential back-off and
jitter, Retry-After, and a circuit breaker.

- An attempt is the request and the reading of its whole answer. A stream that breaks in the
  middle is asked for again from its beginning; nothing of the broken one is kept.
- Retried: transport errors, time-outs, 408, 429, 5xx, and an answer that its reader calls broken
  (`RetryableAnswer`). Any other 3xx or 4xx is refused at once: asking again would not help.
- All attempts of one request share one time budget, so that an answer that drips or never ends
  fails within minutes.
- An answer that says neither its length nor its end (no Content-Length, not chunked) is refused:
  nothing says whether it is whole.
- The circuit counts what says that the source is down (no connection, no answer in time, 5xx),
  never what says that one answer is bad, so that one broken day can't stop its neighbours.
- Nothing here puts credentials, a query string, a header or a body of ours into a message.
"""

import asyncio
import json as jsonlib
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import stamina
from aiolimiter import AsyncLimiter

from clearhouse.core.answer import (
    RetryableAnswer,
    beginning_of,
    has_an_end,
    read_bounded,
    reason_of,
)
from clearhouse.core.circuits import AsyncCircuitBreakerFactory, OpenedState
from clearhouse.core.endpoint import Endpoint, shown_request
from clearhouse.core.errors import SettingsError, SourceError
from clearhouse.core.retry_after import wait_asked_for
from clearhouse.core.time_budget import TimeBudget

T = TypeVar("T")

# httpx logs whole URLs at level INFO, and some sources want their key in the query string.
logging.getLogger("httpx").setLevel(logging.WARNING)

_RETRIED_STATUSES = frozenset({408, 429})


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
    attempt_timeout_seconds: float = 120.0
    """A whole attempt: a stream that drips without end must end."""
    total_timeout_seconds: float = 300.0
    """All attempts of a request and the waits between them, from the first attempt on."""
    requests_per_second: float = 50.0
    concurrency: int = 4
    circuit_failures: int | None = None
    """Failures in a row that open the circuit. None: as many as `concurrency` requests, or two, use
    up with all their attempts, so that it opens on an outage, and not on a hiccup that each one
    meets or on one request that always fails."""
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
            return max(self.concurrency, 2) * self.attempts
        return self.circuit_failures


class _BodyError(Exception):
    """The transfer of a body broke off: the source is up, this answer is bad."""

    def __init__(self, cause: httpx.HTTPError) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause


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
            A user and password in it are sent as basic authentication.
        name: what messages call the source.
        policy: time-outs, retries, limits.
        headers: sent with every request (keys belong here); never logged.
        transport: another way to the source, for tests.

    Raises:
        SettingsError: the base URL, the proxy set for it or a header can't be used.
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
        endpoint = Endpoint.parse(base_url, name)
        self._proxy = None if transport else endpoint.proxy
        for header, value in (headers or {}).items():
            if not value.isascii() or not value.isprintable() or value != value.strip():
                raise SettingsError(
                    f"The key of {name} can't be sent as {header}: it has a character other than "
                    "those of ASCII, or a blank or line break at an end."
                )
        self._client = httpx.AsyncClient(
            base_url=endpoint.url,
            auth=endpoint.auth,
            params=endpoint.params,
            headers={"User-Agent": "clearhouse", **(headers or {})},
            timeout=httpx.Timeout(
                policy.read_timeout_seconds, connect=policy.connect_timeout_seconds, pool=None
            ),
            limits=httpx.Limits(
                max_connections=policy.concurrency, max_keepalive_connections=policy.concurrency
            ),
            transport=transport,
            # The proxy is ours to choose; certificates set in the environment are still taken.
            verify=httpx.create_ssl_context(),
            trust_env=False,
            proxy=self._proxy.proxy if self._proxy else None,
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
        params: Mapping[str, str | int | Sequence[str]] | None = None,
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

    async def exchange(  # noqa: PLR0913  (each is a part of one request)
        self,
        method: str,
        path: str,
        *,
        consume: Callable[[httpx.Response], Awaitable[T]],
        json: Any = None,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str | int | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        extra_seconds: float = 0.0,
    ) -> T:
        """Send a request and have its streamed answer read by `consume`, as often as is needed.

        Args:
            method: GET, POST and so on; it may be sent more than once.
            path: below the base URL.
            consume: reads a 2xx answer whose body has not been read; what it returns is the
                result. It keeps nothing of an attempt that fails.
            json: body, sent as JSON.
            form: body, sent as a form, in place of JSON; never logged.
            params: query string.
            headers: of this request alone; never logged.
            extra_seconds: what a large answer may take beyond the time-outs of the policy.

        Raises:
            SourceError: code source_refused (another 3xx or 4xx), source_unavailable (the
                circuit is open), answer_without_end (it can't be known to be whole),
                source_unreachable, source_too_slow, source_failed or the code of the last
                RetryableAnswer (all attempts, or the time for them, used up).
        """
        request = self._client.build_request(
            method, path, json=json, data=form, params=params, headers=headers
        )
        policy, tries = self.policy, 0
        budget = TimeBudget(policy.total_timeout_seconds + extra_seconds)
        try:
            async for attempt in stamina.retry_context(
                on=lambda error: budget.allows(self._retry_after(error), policy.wait_max_seconds),
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
                        limit_seconds = policy.attempt_timeout_seconds + extra_seconds
                        limit_seconds = min(limit_seconds, budget.left_seconds())
                        return await self._attempt(request, consume, limit_seconds)
        except OpenedState:
            raise self._unavailable(request) from None
        except _BodyError as error:
            raise self._final(error.cause, request, tries, budget) from None
        except (RetryableAnswer, _BadStatusError, httpx.HTTPError, TimeoutError) as error:
            # The cause is not chained: a transport's own text can hold a header's value.
            raise self._final(error, request, tries, budget) from None
        raise AssertionError("stamina always ends with an answer or an error")

    async def _attempt(
        self,
        request: httpx.Request,
        consume: Callable[[httpx.Response], Awaitable[T]],
        limit_seconds: float,
    ) -> T:
        breaker = await self._circuits.get_breaker(self.name)
        async with breaker, asyncio.timeout(limit_seconds):
            response = await self._client.send(request, stream=True)
            try:
                if not response.is_success:
                    # A server error's body is not waited for.
                    body = b"" if response.status_code >= 500 else await beginning_of(response)
                    reason = reason_of(body)
                    raise _BadStatusError(response.status_code, wait_asked_for(response), reason)
                if not has_an_end(response):
                    raise self._endless(request)
                return await consume(response)
            except httpx.TimeoutException:
                raise
            except httpx.HTTPError as error:
                raise _BodyError(error) from None
            finally:
                await response.aclose()

    def _retry_after(self, error: Exception) -> bool | float:
        """Answer to stamina: no, yes after the usual wait, or yes after so many seconds."""
        if isinstance(error, _BodyError):
            error = error.cause
        if isinstance(error, _BadStatusError):
            if not error.retryable or error.retry_after_seconds is None:
                return error.retryable
            wait_seconds = min(error.retry_after_seconds, self.policy.retry_after_max_seconds)
            # Many requests get the same Retry-After: they must not all be sent again in one second.
            return wait_seconds + random.uniform(0, self.policy.wait_jitter_seconds)  # noqa: S311
        if isinstance(error, httpx.LocalProtocolError):
            return False
        retried = (RetryableAnswer, httpx.TransportError, httpx.DecodingError, TimeoutError)
        return isinstance(error, retried)

    def _where(self, request: httpx.Request) -> str:
        through = f" through the proxy {self._proxy.shown}" if self._proxy else ""
        return shown_request(request) + through

    def _unavailable(self, request: httpx.Request) -> SourceError:
        return SourceError(
            f"{self.name} failed {self.policy.failures_of_an_outage} times in a row, so "
            f"{self._where(request)} was not sent: wait {self.policy.circuit_reset_seconds:g} s or "
            "longer, check that it is up, and run again.",
            "source_unavailable",
        )

    def _endless(self, request: httpx.Request) -> SourceError:
        return SourceError(
            f"{self.name} answered {self._where(request)} without Content-Length and not chunked, "
            "so that a cut answer would pass for a whole one: have its server, or the proxy before "
            "it, answer by HTTP/1.1.",
            "answer_without_end",
        )

    def _final(
        self, error: Exception, request: httpx.Request, tries: int, budget: TimeBudget
    ) -> SourceError:
        where, times = self._where(request), f"{tries} time{'s' if tries != 1 else ''}"
        match error:
            case RetryableAnswer():
                return SourceError(
                    f"{self.name} sent a broken answer to {where} (tried {times}): "
                    f"{error.message}; nothing of it was kept, so run again later.",
                    error.code,
                )
            case _BadStatusError(retryable=False):
                return SourceError(
                    f"{self.name} refused {where} with status {error.status}{error.reason}: "
                    "correct the request, or the URL or key set for this source.",
                    "source_refused",
                    error.status,
                )
            case _BadStatusError():
                return SourceError(
                    f"{self.name} answered {where} with status {error.status}{error.reason} "
                    f"(tried {times}): run again later.",
                    "source_failed",
                )
            case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.ProxyError():
                advice = "check that it runs and that the URL set for it is right"
                if self._proxy:
                    advice = f"check the proxy, or add {request.url.host} to NO_PROXY"
                return SourceError(
                    f"{self.name} can't be reached for {where} (tried {times}): {advice}.",
                    "source_unreachable",
                )
            case TimeoutError():
                return SourceError(
                    f"{self.name} had not ended its answer to {where} after "
                    f"{budget.spent_seconds():.0f} s (tried {times}): nothing of it was kept; "
                    "check that it is not overloaded, and run again later.",
                    "source_too_slow",
                )
        return SourceError(
            f"{self.name} broke off {where} with {type(error).__name__} (tried {times}): nothing "
            "of the answer was kept, so run again later.",
            "source_failed",
        )


def _says_nothing_of_the_source(error: BaseException) -> bool:
    """Whether a failure leaves open that the source is up, for the circuit breaker."""
    if isinstance(error, _BadStatusError):
        return error.status < 500
    return not isinstance(error, (httpx.TransportError, TimeoutError))
