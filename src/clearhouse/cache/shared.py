"""Redis for what processes share: asked for tens of milliseconds, and left alone when it fails.

Whoever asks has a way of its own for when there is no answer. So a Redis that is down, slow or
refuses costs one time-out every few seconds, and nothing else.
"""

import time
from collections.abc import Callable
from typing import Any

import structlog

from clearhouse.core.redis_package import redis_package

_TIMEOUT_SECONDS = 0.05
_CONNECT_SECONDS = 0.1
_SILENCE_SECONDS = 5.0
"""How long Redis is left alone after it failed: each try costs its time-out."""
_log = structlog.get_logger()


class SharedRedis:
    """A Redis that may be there.

    Args:
        url: `redis://…` or `rediss://…`; None: there is none.

    Raises:
        SettingsError: the client is not installed.
    """

    def __init__(self, url: str | None) -> None:
        self.url = url
        self._redis = _client(url) if url else None
        self._silent_until = 0.0

    @property
    def answers(self) -> bool:
        """Whether Redis is in use and did not fail lately."""
        return self._redis is not None and time.monotonic() >= self._silent_until

    def ask(self, command: Callable[[Any], Any]) -> Any:
        """What Redis answers; None where it does not."""
        if self._redis is None or not self.answers:
            return None
        try:
            return command(self._redis)
        except redis_errors() as error:
            self._silent_until = time.monotonic() + _SILENCE_SECONDS
            _log.warning("redis_left_alone", seconds=_SILENCE_SECONDS, reason=_why(error))
            return None

    def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            self._redis.close()


def redis_errors() -> tuple[type[Exception], ...]:
    """What a Redis raises that is down, slow or refuses."""
    from redis.exceptions import RedisError

    return (RedisError, OSError)


def _why(error: Exception) -> str:
    """What is wrong, without what the server or the client said: it can hold the user's name."""
    from redis.exceptions import AuthenticationError
    from redis.exceptions import TimeoutError as TooSlow

    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate is not one that ssl_ca_certs in REDIS_URL signs for that host"
    if isinstance(error, AuthenticationError):
        return "it refuses the user or the password of REDIS_URL"
    if isinstance(error, TooSlow | TimeoutError):
        return "it is too slow"
    return f"it does not answer ({type(error).__name__})"


def _client(url: str) -> Any:
    redis = redis_package()
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        url,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        retry=Retry(NoBackoff(), 0),  # by default it would try ten times, with pauses
    )
