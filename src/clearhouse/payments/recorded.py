"""What the operational store has recorded, read by day beside the services that write it.

A store that is not there yet has recorded nothing: no service ever ran.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from clearhouse.core.database_access import BATCH
from clearhouse.core.urls import SecretUrl
from clearhouse.log.log import Reached
from clearhouse.payments.event import EventType, Provider
from clearhouse.payments.store.progress import delivered_of, read_progress
from clearhouse.payments.store.tables import delivery, payment_event
from clearhouse.store.database import open_to_watch

_ACCESS = replace(BATCH, setting="PAYMENTS_DATABASE_URL")
_event = payment_event.c
DELIVERY = (
    delivery.c.outcome,
    delivery.c.webhook_position,
    delivery.c.book_date,
    delivery.c.body_sha256,
    delivery.c.event_id,
    delivery.c.amount_minor,
    delivery.c.currency,
)
"""What is told of a delivery: its outcome, and what `Became` says."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The events of one day.

    Attributes:
        records: how many.
        sha256: of their record ids in order of event id.
        through: the number of the last one that was recorded; -1 where there is none.
    """

    records: int = 0
    sha256: str = hashlib.sha256().hexdigest()
    through: int = -1

    def as_state(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"records": self.records, "sha256": self.sha256, "through": self.through}


@dataclass(frozen=True)
class RecordedStore:
    """The operational store of payments, to be read.

    Attributes:
        url: `sqlite:///<path>`, or a database on a server.
    """

    url: str | SecretUrl = field(repr=False)

    def days(self, days: Sequence[dt.date]) -> dict[dt.date, Recorded]:
        """What is recorded of each of the days."""
        found = dict.fromkeys(days, Recorded())
        if not days:
            return found
        read = sa.select(_event.book_date, _event.record_id, _event.number)
        read = read.where(_event.book_date.between(min(days), max(days)))
        rows = self._rows(read.order_by(_event.book_date, _event.event_id))
        by_day: dict[dt.date, list[tuple[str, int]]] = {}
        for row in rows:
            by_day.setdefault(row.book_date, []).append((row.record_id, row.number))
        for day in found.keys() & by_day.keys():
            ids, numbers = zip(*by_day[day], strict=True)
            sha256 = hashlib.sha256("".join(ids).encode()).hexdigest()
            found[day] = Recorded(len(ids), sha256, max(numbers))
        return found

    def lines(self, day: dt.date, up_to: int | None = None) -> tuple[bytes, Recorded]:
        """A day's events, a line each in order of event id, and what they are.

        Args:
            day: the book date.
            up_to: the number of the last one that was recorded; None for all.
        """
        read = sa.select(_event.line, _event.record_id, _event.number)
        read = read.where(_event.book_date == day)
        if up_to is not None:
            read = read.where(_event.number <= up_to)
        rows = self._rows(read.order_by(_event.event_id))
        sha256 = hashlib.sha256("".join(row.record_id for row in rows).encode()).hexdigest()
        through = max((row.number for row in rows), default=-1)
        held = Recorded(len(rows), sha256, through)
        return b"".join(_bytes(row.line) + b"\n" for row in rows), held

    def payouts(
        self, provider: Provider, days: Sequence[dt.date]
    ) -> dict[dt.date, list[tuple[str, str]]]:
        """Accounts and ids of a provider's payouts that were sent or paid, by day; no tests."""
        found: dict[dt.date, list[tuple[str, str]]] = {day: [] for day in days}
        if not days:
            return found
        read = sa.select(_event.book_date, _event.account, _event.payout_key).distinct()
        read = read.where(
            _event.book_date.between(min(days), max(days)),
            _event.payout_key.is_not(None),  # as the index says it that finds them
            _event.provider == provider.value,
            _event.event_type.in_((EventType.PAYOUT_SENT.value, EventType.PAYOUT_PAID.value)),
            _event.livemode,
        )
        for row in self._rows(read.order_by(_event.book_date, _event.payout_key)):
            if row.book_date in found:
                scope = f"{provider.value}:{row.account}:live:"
                found[row.book_date].append((row.account, row.payout_key.removeprefix(scope)))
        return found

    def deliveries(self, days: Sequence[dt.date]) -> Sequence[sa.Row[Any]]:
        """What became of the normalized events of some days: the columns of `DELIVERY`."""
        return self._rows(sa.select(*DELIVERY).where(delivery.c.book_date.in_(sorted(days))))

    def has_delivered(self, webhook_positions: Collection[int]) -> set[int]:
        """Those of some webhooks of whose events it is recorded what became of them."""
        with self._connected() as connection:
            return set() if connection is None else delivered_of(connection, webhook_positions)

    def progress(self, topic: str) -> Reached:
        """Where the worker reads on in a topic."""
        with self._connected() as connection:
            return Reached() if connection is None else read_progress(connection, "worker", topic)

    def _rows(self, read: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with self._connected() as connection:
            return connection.execute(read).all() if connection is not None else ()

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection | None]:
        """A connection, or None where there is no store yet."""
        if isinstance(self.url, str) and not Path(self.url.removeprefix("sqlite:///")).exists():
            yield None
            return
        engine = open_to_watch(self.url, _ACCESS)
        try:
            with engine.connect() as connection:
                is_there = sa.inspect(connection).has_table(payment_event.name)
                yield connection if is_there else None
        finally:
            engine.dispose()


def _bytes(line: bytes | str) -> bytes:
    """A line as it is stored: who edits one by hand may leave a text, which SQLite takes too."""
    return line.encode() if isinstance(line, str) else line
