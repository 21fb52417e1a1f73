"""The client of Redis, which comes with an extra."""

from typing import Any

from clearhouse.core.errors import SettingsError


def redis_package() -> Any:
    """The client of Redis.

    Raises:
        SettingsError: it is not installed (driver_missing).
    """
    try:
        import redis
    except ImportError:
        raise SettingsError(
            "REDIS_URL needs a client that is not installed: install Clearhouse with the extra "
            "`redis`, as in `pip install 'clearhouse[redis]'`.",
            "driver_missing",
        ) from None
    return redis
