"""The running service: its store, its feed, its tail; started and stopped with the application."""

import asyncio
import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from clearhouse.core.database_access import BATCH, DatabaseAccess
from clearhouse.core.errors import first_line
from clearhouse.core.urls import SecretUrl
from clearhouse.gl.service import metrics
from clearhouse.gl.service.database import Database
from clearhouse.gl.service.errors import NotReadyError
from clearhouse.gl.service.feed import Clock, Feed, FeedOptions, MakeGenerator, sandbox_ledger
from clearhouse.gl.service.reading import Lines
from clearhouse.gl.service.security import Keys
from clearhouse.gl.service.shared import Shared
from clearhouse.gl.service.stream import Tail

_RETRY_SECONDS, _MOST_RETRY_SECONDS = 0.5, 10.0
_T = TypeVar("_T")
_log = structlog.get_logger()


def utc_now() -> dt.datetime:
    """The time in UTC, without a zone."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)


@dataclass(frozen=True)
class ServiceOptions:
    """What a service runs with.

    Attributes:
        database_url: `sqlite:///<path>`, or a PostgreSQL server.
        keys: who may ask.
        access: to a store on a server.
        requests_per_minute: of each user; 0 for no limit.
        has_original_paths: whether the paths of the original service are there; they need no key.
    """

    database_url: str | SecretUrl
    keys: Keys
    access: DatabaseAccess = BATCH
    feed: FeedOptions = field(default_factory=FeedOptions)
    redis_url: str | None = None
    requests_per_minute: int = 60_000
    has_original_paths: bool = True
    clock: Clock = utc_now
    make_generator: MakeGenerator = sandbox_ledger


class Service:
    """What the routes work with.

    Args:
        options: what it runs with.
    """

    def __init__(self, options: ServiceOptions) -> None:
        self.options = options
        self.keys = options.keys
        self.clock = options.clock
        url = options.database_url
        ledger = url.identity if isinstance(url, SecretUrl) else url
        self.shared = Shared(options.redis_url, options.requests_per_minute, ledger)
        self.historical_lines = 0
        self._database: Database | None = None
        self._tail: Tail | None = None
        self._stop = threading.Event()
        self._state = "starting"

    @property
    def database(self) -> Database:
        """The store.

        Raises:
            NotReadyError: it is not open yet, or its history is not whole.
        """
        if self._database is None or self._tail is None:
            raise NotReadyError(f"The service is {self._state}.", headers={"Retry-After": "2"})
        return self._database

    @property
    def tail(self) -> Tail:
        """The end of the ledger; raises as `database` does."""
        assert self.database is not None  # noqa: S101
        assert self._tail is not None  # noqa: S101
        return self._tail

    @property
    def lines(self) -> Lines:
        """The lines; raises as `database` does."""
        return Lines(self.database)

    def stored(self, last_line: int) -> None:
        """Lines were added: who follows is told, here and in other workers."""
        metrics.LAST_RECORDED.set(time.time())
        if self._tail is not None:
            self._tail.wake()
        self.shared.announce(last_line)

    def end_streams(self) -> None:
        """Let streams end, so that the server can stop."""
        self._stop.set()
        if self._tail is not None:
            self._tail.close()

    async def run(self) -> None:
        """Open the store, make the history whole, and feed it until cancelled."""
        feed = await self._until_it_works(self._opened, "waiting for its store")
        await self._until_it_works(
            lambda: feed.catch_up(self._stop, self._on_day), "making its history"
        )
        assert self._database is not None  # noqa: S101
        lines = Lines(self._database)
        self.historical_lines = await self._until_it_works(lines.count_results, "counting")
        last = await self._until_it_works(lines.last, "counting")
        self._tail = Tail(lines, self.shared, last)
        metrics.LAST_RECORDED.set(time.time())  # a feed that fails from now on is missed too
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tail.run())
            group.create_task(self._feed(feed, lines))

    def give_up(self) -> None:
        """Be ready no more: a defect has ended what feeds the ledger and its streams."""
        self._state = "stopped by a defect, which its log names: start it again"
        self.end_streams()
        self._tail = None

    def close(self) -> None:
        """Close what is open."""
        self.end_streams()
        self.shared.close()
        if self._database is not None:
            self._database.close()

    def _opened(self) -> Feed:
        self._database = self._database or Database(self.options.database_url, self.options.access)
        feed = Feed(self._database, self.options.feed, self.clock, self.options.make_generator)
        feed.open_ledger()
        return feed

    def _on_day(self, day: dt.date) -> None:
        self._state = f"making its history, and has it up to {day}"

    async def _until_it_works(self, work: Callable[[], _T], state: str) -> _T:
        self._state, seconds = state, _RETRY_SECONDS
        while True:
            try:
                return await asyncio.to_thread(work)
            except Exception as error:  # noqa: BLE001  (told; and a server may come back)
                _log.warning("service_waits", state=state, error=first_line(error))
                await asyncio.sleep(seconds)
                seconds = min(2 * seconds, _MOST_RETRY_SECONDS)

    def _seconds_to_tick(self) -> float:
        """An interval, or less when the day ends before: what is left of it is stored then."""
        now = self.clock()
        midnight = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time())
        return min(self.options.feed.interval_seconds, (midnight - now).total_seconds())

    async def _feed(self, feed: Feed, lines: Lines) -> None:
        while True:
            await asyncio.sleep(self._seconds_to_tick())
            try:
                if await asyncio.to_thread(feed.tick):
                    self.stored(await asyncio.to_thread(lines.last))
            except Exception as error:  # noqa: BLE001  (the next tick stores what this one did not)
                _log.warning("feed_failed", error=first_line(error))
