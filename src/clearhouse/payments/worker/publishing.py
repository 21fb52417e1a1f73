"""Publishing the outbox beside what fills it, by one process at a time."""

import threading
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from clearhouse.core.errors import first_line
from clearhouse.log.log import Log
from clearhouse.payments.activities import PUBLISH
from clearhouse.payments.store import outbox
from clearhouse.payments.store.database import OUTAGES, PaymentStore
from clearhouse.workflows.activity import Workflows

_TURN = 0x7075626C697368
"""Number of the lock that the publishing process holds on a server."""
_IDLE_SECONDS = 1.0

_log = structlog.get_logger()


class Publisher:
    """Publishes what is left in the outbox.

    Of several processes on one store, the one that holds the lock publishes; another takes over
    when its session ends. They could not publish anything twice without it (`outbox.publish`), but
    would get in each other's way.

    Args:
        store: holds the outbox.
        log: gets the messages.
        workflows: tries again by the policy of `publish`.
        on_state: told what is in the way; None: nothing.
    """

    def __init__(
        self,
        store: PaymentStore,
        log: Log,
        workflows: Workflows,
        on_state: Callable[[Exception | None], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._log = log
        self._workflows = workflows
        self._on_state = on_state
        self._turn: sa.Connection | None = None
        self._filled = threading.Event()

    def nudge(self) -> None:
        """Say that there is something to publish."""
        self._filled.set()

    def run_until(self, stop: threading.Event) -> None:
        """Publish until `stop` is set, and then what is left."""
        try:
            while not stop.is_set():
                self._filled.wait(_IDLE_SECONDS)
                self._filled.clear()
                self._publish()
            self._publish()
        except Exception as error:  # a defect: without it the worker would be taken for sound
            self._on_state(error)
            raise
        finally:
            self._leave()

    def _publish(self) -> None:
        try:
            if self._has_turn():
                publish = lambda: outbox.publish(self._store, self._log)  # noqa: E731
                while self._workflows.run(PUBLISH, publish):
                    pass
            self._on_state(None)
        except OUTAGES as error:
            _log.warning("publisher_waits", reason=first_line(error))
            self._on_state(error)
            self._leave()

    def _has_turn(self) -> bool:
        if self._store.is_sqlite:
            return True
        if self._turn is not None:
            self._turn.execute(sa.select(1))  # the session, and the lock with it, may have ended
            return True
        engine = self._store.engine.execution_options(isolation_level="AUTOCOMMIT")
        connection = engine.connect()
        try:
            if connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_TURN))):
                self._turn = connection
                return True
        finally:
            if self._turn is None:
                connection.close()
        return False

    def _leave(self) -> None:
        if self._turn is not None:
            self._turn.invalidate()  # ends the session, and gives up the lock
            self._turn.close()
            self._turn = None
