"""Opening the log that a URL names."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from clearhouse.core.errors import SettingsError
from clearhouse.log.log import Log
from clearhouse.log.sqlite import DEFAULT_MAX_BYTES, SqliteLog

_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, as it is declared.

    Attributes:
        days: how long its messages stay at least; None: until `Log.age_out` forgets them, as they
            must have been read by all.
    """

    name: str
    days: int | None = None


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where a log is, and how it is reached.

    Attributes:
        url: `sqlite:///<path>`, or `kafka://host:port[,host:port]/[prefix]`; `kafka+ssl://…` by
            TLS. The prefix stands before every name on the server: one server holds many logs.
        max_bytes: what a local log may grow to.
        partitions: of each topic that is made on a server.
        user, password: for SASL; None: without.
        mechanism: of SASL.
        ca_file: of the authority that signs a server's certificate; None: those of the system.
    """

    url: str
    max_bytes: int = DEFAULT_MAX_BYTES
    partitions: int = 4
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    mechanism: str = "SCRAM-SHA-512"
    ca_file: Path | None = None


def open_log(place: LogPlace, topics: Iterable[Topic]) -> Log:
    """The log, with its topics declared.

    Args:
        place: where it is.
        topics: every topic that will be named.

    Raises:
        SettingsError: no log has such a URL.
        LogError: it can't be opened.
    """
    if not place.url.startswith(_SQLITE):
        raise SettingsError("LOG_URL names no log: write sqlite:///path/to/log.db.")
    path = Path(place.url.removeprefix(_SQLITE))
    return SqliteLog(path, [topic.name for topic in topics], place.max_bytes)
