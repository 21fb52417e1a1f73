"""Which log a store's events come from: positions in another one mean other events."""

import time
from collections.abc import Callable

import sqlalchemy as sa

from clearhouse.core.errors import StoreError
from clearhouse.log.log import Log
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.sql import add_missing
from clearhouse.payments.store.tables import event_log

_EVERY_SECONDS = 1.0


def bind(store: PaymentStore, log: Log) -> str:
    """See that a store's events come from a log. The first that it is used with is its own.

    Returns:
        The log's identity.

    Raises:
        StoreError: they come from another (another_log): a new one, or one of another home.
    """
    identity = log.identity
    with store.writing() as connection:
        add_missing(connection, event_log, [{"only": 1, "identity": identity}])
        bound = connection.scalar(sa.select(event_log.c.identity))
    if bound != identity:
        raise _another_log()
    return identity


class Bound:
    """A store's own log, seen to be that now and then: a server's topics can be made anew beside
    running services.

    Args:
        store: holds what was recorded.
        log: of which the events come.
        on_bound: called once, when the log is found to be the store's own.
        clock: in seconds.
    """

    def __init__(
        self,
        store: PaymentStore,
        log: Log,
        on_bound: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.log = log
        self._on_bound = on_bound
        self._clock = clock
        self._identity: str | None = None
        self._seen_at = 0.0

    def check(self) -> None:
        """See that the log is the store's own, at most once a second.

        Raises:
            StoreError: it is another (another_log).
            LogError, ServerError, OperationalError: one of them can't be asked.
        """
        now = self._clock()
        if self._identity is None:
            identity = bind(self.store, self.log)
            self._on_bound()
            self._identity = identity
        elif now < self._seen_at + _EVERY_SECONDS:
            return
        elif self.log.identity != self._identity:
            raise _another_log()
        self._seen_at = now


def _another_log() -> StoreError:
    return StoreError(
        "The payments in PAYMENTS_DATABASE_URL were recorded from another log than that of "
        "LOG_URL: put that log back, or set PAYMENTS_DATABASE_URL to a new store.",
        "another_log",
    )
