"""What workers share through Redis where it is there: answers, rate limits, and a call at new
lines.

Without Redis, or while it does not answer, each process has its own of these and looks at the store
more often. Nothing is right or wrong by Redis alone.
"""

import asyncio
import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import structlog

_CHANNEL = "clearhouse:gl:lines"
_PREFIX = "clearhouse:gl:"
_TIMEOUT_SECONDS = 0.25
_SILENCE_SECONDS = 5.0
"""How long Redis is left alone after it failed: each try costs its time-out."""
_KEPT_SECONDS = 300
_KEPT_BYTES = 32 << 20
_BURST_SECONDS = 10.0
_ALLOW = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + tonumber(ARGV[1])
local wait = due - now - tonumber(ARGV[2])
if wait > 0 then return tostring(wait) end
redis.call('SET', KEYS[1], string.format('%.6f', due), 'EX', math.ceil(tonumber(ARGV[2])) + 1)
return '0'
"""
_log = structlog.get_logger()


class Shared:
    """What the workers of a service share.

    Args:
        redis_url: None for a process alone.
        requests_per_minute: of each user; 0 for no limit. Ten seconds' worth may come at once.
    """

    def __init__(self, redis_url: str | None, requests_per_minute: int) -> None:
        self._url = redis_url
        self._redis = _client(redis_url) if redis_url else None
        self._silent_until = 0.0
        self._answers = _Answers(_KEPT_BYTES)
        self._interval = 60 / requests_per_minute if requests_per_minute else 0.0
        self._due: dict[str, float] = {}
        self._one = threading.Lock()

    @property
    def has_redis(self) -> bool:
        """Whether Redis is in use and did not fail lately."""
        return self._redis is not None and time.monotonic() >= self._silent_until

    def answer(self, key: str, make: Callable[[], bytes]) -> bytes:
        """An answer by a key that changes with the ledger; made where nobody has it."""
        found = self._answers.get(key)
        if found is None:
            found = self._ask(lambda redis: redis.get(_PREFIX + key))
            if found is None:
                found = make()
                self._ask(lambda redis: redis.set(_PREFIX + key, found, ex=_KEPT_SECONDS))
            self._answers.put(key, found)
        return found

    def wait_seconds(self, user: str) -> float:
        """How long a user has to wait by the generic cell rate algorithm; 0 who may go on."""
        if not self._interval:
            return 0.0
        key, arguments = f"{_PREFIX}rate:{user}", (self._interval, _BURST_SECONDS)
        told = self._ask(lambda redis: redis.eval(_ALLOW, 1, key, *arguments))
        return self._wait_here(user) if told is None else float(told)

    def announce(self, last_line: int) -> None:
        """Tell all workers that there are new lines."""
        self._ask(lambda redis: redis.publish(_CHANNEL, last_line))

    async def listen(self, woken: Callable[[], None]) -> None:
        """Call back at each announcement, until cancelled."""
        if self._url is None:
            return
        from redis.asyncio import Redis

        while True:
            with contextlib.suppress(*_errors()):
                async with Redis.from_url(self._url) as redis, redis.pubsub() as heard:
                    await heard.subscribe(_CHANNEL)
                    async for _ in heard.listen():
                        woken()
            await asyncio.sleep(_SILENCE_SECONDS)

    def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            self._redis.close()

    def _ask(self, command: Callable[[Any], Any]) -> Any:
        """What Redis answers; None where it does not."""
        if self._redis is None or not self.has_redis:
            return None
        try:
            return command(self._redis)
        except _errors() as error:
            self._silent_until = time.monotonic() + _SILENCE_SECONDS
            _log.warning("redis_left_alone", seconds=_SILENCE_SECONDS, error=type(error).__name__)
            return None

    def _wait_here(self, user: str) -> float:
        now = time.monotonic()
        with self._one:
            due = max(self._due.get(user, 0.0), now) + self._interval
            wait = due - now - _BURST_SECONDS
            if wait > 0:
                return wait
            self._due[user] = due
        return 0.0


class _Answers:
    """The answers used last, up to a number of bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._one = threading.Lock()

    def get(self, key: str) -> bytes | None:
        with self._one:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: str, value: bytes) -> None:
        if len(value) > self._most // 8:
            return
        with self._one:
            self._bytes += len(value) - len(self._held.pop(key, b""))
            self._held[key] = value
            while self._bytes > self._most:
                self._bytes -= len(self._held.popitem(last=False)[1])


def _client(url: str) -> Any:
    try:
        from redis import Redis
    except ImportError:
        from clearhouse.core.errors import SettingsError

        raise SettingsError(
            "REDIS_URL needs a client that is not installed: install Clearhouse with the extra "
            "`redis`, as in `pip install 'clearhouse[redis]'`.",
            "driver_missing",
        ) from None
    return Redis.from_url(
        url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
    )


def _errors() -> tuple[type[Exception], ...]:
    from redis.exceptions import RedisError

    return (RedisError, OSError)
