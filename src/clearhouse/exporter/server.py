"""The exporter over HTTP."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Thread

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.registry import Collector

from clearhouse.core.bounded_metrics import BoundedMetrics
from clearhouse.core.listening import refused
from clearhouse.exporter.collector import BooksCollector
from clearhouse.exporter.reading import Reader
from clearhouse.settings import Settings
from clearhouse.store.database import open_to_watch

HOST = "127.0.0.1"
PORT = 19100


def utc_now() -> dt.datetime:
    """The time in UTC."""
    return dt.datetime.now(dt.UTC)


@contextmanager
def exporting(
    settings: Settings,
    host: str = HOST,
    port: int = PORT,
    now: Callable[[], dt.datetime] = utc_now,
    others: Iterable[Collector] = (),
) -> Iterator[tuple[str, Thread]]:
    """Serve the metrics of the books at DATABASE_URL for as long as the block lasts.

    Args:
        settings: say where the books are.
        host: address to listen at.
        port: 0 takes a free one.
        now: the time in UTC, by which ages are counted.
        others: what is exported beside the books. What can't be read in time is left out.

    Yields:
        The URL of the metrics, and the thread that serves them.

    Raises:
        UsageError: the address can't be listened at.
    """
    registry = CollectorRegistry()
    engine = open_to_watch(settings.database_url, settings.database_access("exporter"))
    for collector in (BooksCollector(Reader(engine), now), *others):
        registry.register(BoundedMetrics(collector.collect))
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise refused(host, port, error) from None
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{server.server_port}/metrics", thread
    finally:
        server.shutdown()
        server.server_close()
        engine.dispose()
