"""Opening the log that a URL names."""

from collections.abc import Iterable
from pathlib import Path

from clearhouse.core.errors import SettingsError
from clearhouse.log.log import Log
from clearhouse.log.sqlite import DEFAULT_MAX_BYTES, SqliteLog

_SQLITE = "sqlite:///"


def open_log(url: str, topics: Iterable[str], max_bytes: int = DEFAULT_MAX_BYTES) -> Log:
    """The log, with its topics declared.

    Args:
        url: `sqlite:///<path>`.
        topics: every topic that will be named.
        max_bytes: what a local log may grow to.

    Raises:
        SettingsError: no log has such a URL.
        LogError: it can't be opened.
    """
    if not url.startswith(_SQLITE):
        raise SettingsError("LOG_URL names no log: write sqlite:///path/to/log.db.")
    return SqliteLog(Path(url.removeprefix(_SQLITE)), topics, max_bytes)
