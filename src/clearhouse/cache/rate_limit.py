"""How often each client may ask: the generic cell rate algorithm, over all processes or in one."""

import threading
import time

from clearhouse.cache.shared import SharedRedis

_BURST_SECONDS = 10.0
_MOST_CLIENTS = 10_000
"""That a process keeps in mind; those who may ask at once again are forgotten beyond it."""
_ALLOW = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + tonumber(ARGV[1])
local wait = due - now - tonumber(ARGV[2])
if wait > 0 then return tostring(wait) end
redis.call('SET', KEYS[1], string.format('%.6f', due), 'EX', math.ceil(tonumber(ARGV[2])) + 1)
return '0'
"""


class RateLimit:
    """A limit on requests of each client. Ten seconds' worth may come at once, or one request.

    Args:
        shared: where processes count together; while it does not answer, each counts by itself.
        service: whose limit it is, as its keys in Redis say.
        requests_per_minute: 0 for no limit.
    """

    def __init__(self, shared: SharedRedis, service: str, requests_per_minute: int) -> None:
        self._shared = shared
        self._prefix = f"clearhouse:{service}:rate:"
        self._interval = 60 / requests_per_minute if requests_per_minute else 0.0
        self._burst = max(_BURST_SECONDS, self._interval)
        self._due: dict[str, float] = {}
        self._one = threading.Lock()

    @property
    def may_block(self) -> bool:
        """Whether to ask it takes time: an event loop asks in a thread then."""
        return bool(self._interval) and self._shared.answers

    def wait_seconds(self, client: str) -> float:
        """How long a client has to wait; 0 who may go on, which counts as a request."""
        if not self._interval:
            return 0.0
        key, arguments = f"{self._prefix}{client}", (self._interval, self._burst)
        told = self._shared.ask(lambda redis: redis.eval(_ALLOW, 1, key, *arguments))
        return self._wait_here(client) if told is None else float(told)

    def _wait_here(self, client: str) -> float:
        now = time.monotonic()
        with self._one:
            if len(self._due) >= _MOST_CLIENTS:
                self._due = {each: due for each, due in self._due.items() if due > now}
            due = max(self._due.get(client, 0.0), now) + self._interval
            wait = due - now - self._burst
            if wait > 0:
                return wait
            self._due[client] = due
        return 0.0
