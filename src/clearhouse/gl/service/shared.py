"""What workers share through Redis where it is there: answers, rate limits, and a call at new
lines.

Without Redis, or while it does not answer, each process has its own of these and looks at the store
more often. Nothing is right or wrong by Redis alone.
"""

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable

from clearhouse.books.model import digest
from clearhouse.cache.rate_limit import RateLimit
from clearhouse.cache.shared import SharedRedis, redis_errors

_SECONDS_TO_LISTEN_AGAIN = 5.0
_KEPT_SECONDS = 300
_KEPT_BYTES = 32 << 20


class Shared:
    """What the workers of a service share.

    Args:
        redis_url: None for a process alone.
        requests_per_minute: of each user; 0 for no limit. Ten seconds' worth may come at once.
        ledger: names the ledger: services of several may use one Redis.
    """

    def __init__(self, redis_url: str | None, requests_per_minute: int, ledger: str) -> None:
        self._redis = SharedRedis(redis_url)
        named = f"gl:{digest(ledger)[:16]}"
        self._prefix = f"clearhouse:{named}:"
        self._channel = f"{self._prefix}lines"
        self.limit = RateLimit(self._redis, named, requests_per_minute)
        self._answers = _Answers(_KEPT_BYTES)

    @property
    def has_redis(self) -> bool:
        """Whether Redis is in use and did not fail lately."""
        return self._redis.answers

    def answer(self, key: str, make: Callable[[], bytes]) -> bytes:
        """An answer by a key that changes with the ledger; made where nobody has it."""
        found = self._answers.get(key)
        if found is None:
            found = self._redis.ask(lambda redis: redis.get(self._prefix + key))
            if found is None:
                found = make()
                self._redis.ask(
                    lambda redis: redis.set(self._prefix + key, found, ex=_KEPT_SECONDS)
                )
            self._answers.put(key, found)
        return found

    def announce(self, last_line: int) -> None:
        """Tell all workers that there are new lines."""
        self._redis.ask(lambda redis: redis.publish(self._channel, last_line))

    async def listen(self, woken: Callable[[], None]) -> None:
        """Call back at each announcement, until cancelled."""
        if self._redis.url is None:
            return
        from redis.asyncio import Redis

        while True:
            with contextlib.suppress(*redis_errors()):
                async with Redis.from_url(self._redis.url) as redis, redis.pubsub() as heard:
                    await heard.subscribe(self._channel)
                    async for _ in heard.listen():
                        woken()
            await asyncio.sleep(_SECONDS_TO_LISTEN_AGAIN)

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()


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
