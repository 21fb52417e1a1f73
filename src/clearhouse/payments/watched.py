"""What `clearhouse exporter` tells of payments, asked of the log and the store at each scrape.

The services tell more, and faster. This is told also while they are down.
"""

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

import sqlalchemy as sa
import structlog
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from clearhouse.core.errors import first_line
from clearhouse.log.log import Log
from clearhouse.payments.lag import kept_lag
from clearhouse.payments.log_opening import log_place, open_payment_log
from clearhouse.payments.loop_state import UNREADABLE, code_of
from clearhouse.payments.open_letters import OpenLetters
from clearhouse.payments.store import outbox, tables
from clearhouse.payments.topics import NORMALIZER, WEBHOOKS
from clearhouse.settings import Settings
from clearhouse.store.checks import is_missing
from clearhouse.store.database import open_to_watch

_OUTCOMES = ("recorded", "duplicate", "dead_letter")
_log = structlog.get_logger("exporter")


class PaymentsCollector(Collector):
    """Metrics of payments; none where no service of payments has run yet.

    Args:
        settings: name the log and the store.
        now: the time in UTC.
    """

    def __init__(self, settings: Settings, now: Callable[[], dt.datetime]) -> None:
        self._settings = settings
        self._now = now
        self._one_at_a_time = threading.Lock()  # two scrapes share what is open
        self._open = ExitStack()
        self._log: Log | None = None
        self._letters: OpenLetters | None = None
        self._store: sa.Engine | None = None

    def collect(self) -> Iterator[Metric]:
        """What can be read now, and which part can't be."""
        if not any(map(is_missing, (self._settings.log_url, self._settings.payments_database_url))):
            with self._one_at_a_time:
                yield from list(self._read())

    def _read(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "clearhouse_payments_up",
            "Whether the exporter can read a part of payments: 1, or 0.",
            labels=("part",),
        )
        for part, read in (("store", self._of_store), ("log", self._of_log)):
            try:
                found = list(read())
            except UNREADABLE as error:
                _log.warning(f"{part}_unreadable", code=code_of(error), reason=first_line(error))
                up.add_metric([part], 0)
                self.close()
            else:
                up.add_metric([part], 1)
                yield from found
        yield up

    def close(self) -> None:
        """Close what is open. It is opened again when it is asked for."""
        self._open.close()
        self._log = self._letters = self._store = None

    def _of_store(self) -> Iterator[Metric]:
        today = self._now().date()
        with self._opened_store().connect() as connection:
            waiting = outbox.waiting(connection)
            d = tables.delivery.c
            counted = sa.select(d.outcome, sa.func.count()).where(d.book_date == today)
            outcomes: dict[str, int] = dict(
                connection.execute(counted.group_by(d.outcome)).tuples().all()
            )
        yield _gauge("outbox", "Messages of the store that the log has not yet.", (), {(): waiting})
        yield _gauge(
            "today_deliveries",
            "Webhooks of today (UTC) of which the store says what became of them.",
            ("outcome",),
            {(outcome,): outcomes.get(outcome, 0) for outcome in _OUTCOMES},
        )

    def _of_log(self) -> Iterator[Metric]:
        log = self._opened_log()
        lags = kept_lag(log, NORMALIZER, WEBHOOKS.name)
        yield _gauge(
            "unread_webhooks",
            "Webhooks that the normalizer has still to read.",
            (),
            {(): sum(lag.waiting for lag in lags)},
        )
        yield _gauge(
            "oldest_unread_webhook_seconds",
            "For how long the oldest of them is in the log; 0 where there is none.",
            (),
            {(): max(lag.age_seconds(self._now()) for lag in lags)},
        )
        if self._letters is None:
            self._letters = OpenLetters(log)
        with self._opened_store().connect() as connection:
            letters = self._letters.count(connection)
        yield _gauge(
            "dead_letters",
            "Dead letters that are neither redriven nor discarded.",
            ("stage", "code", "provider"),
            letters,
        )

    def _opened_log(self) -> Log:
        if self._log is None:
            self._log = open_payment_log(log_place(self._settings))
            self._open.callback(self._log.close)
        return self._log

    def _opened_store(self) -> sa.Engine:
        if self._store is None:
            self._store = open_to_watch(self._settings.payments_database_url)
            self._open.callback(self._store.dispose)
        return self._store


def _gauge(
    name: str, what: str, labels: Sequence[str], values: Mapping[tuple[str, ...], float]
) -> Metric:
    found = GaugeMetricFamily(f"clearhouse_payments_{name}", what, labels=labels)
    for key, value in values.items():
        found.add_metric(key, value)
    return found
