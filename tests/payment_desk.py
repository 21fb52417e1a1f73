"""Records payment events in an operational store, for tests of what they leave there."""

from typing import Any

import sqlalchemy as sa
from payment_lives import NOON

from clearhouse.core.urls import SecretUrl
from clearhouse.log.log import Progress, Record
from clearhouse.payments.event import PaymentEvent, encode_event
from clearhouse.payments.problem import Problem
from clearhouse.payments.store import tables
from clearhouse.payments.store.database import open_store
from clearhouse.payments.store.recorder import Handled, Outcomes, Recorder
from clearhouse.payments.topics import EVENTS

DERIVED = (tables.payment, tables.refund, tables.dispute, tables.payout, tables.journal_line)


class Desk:
    """Records events as a worker does, each as the next record of the topic."""

    def __init__(self, url: str) -> None:
        is_server = url.startswith("postgresql:")
        self.store = open_store(SecretUrl.parse(url, ("postgresql",)) if is_server else url)
        self._recorder = Recorder(self.store, lambda: NOON)
        self._at = 0

    def record(self, *events: PaymentEvent, problems: tuple[Problem, ...] = ()) -> Outcomes:
        began_at = self._at
        handled = []
        for event in events:
            record = Record(EVENTS.name, self._at, "key", encode_event(event), NOON)
            handled.append(Handled(event, record, problems))
            self._at += 1
        return self._recorder.record(handled, Progress("worker", EVENTS.name, self._at), began_at)

    def rows(self, table: sa.Table, *columns: str) -> list[Any]:
        with self.store.reading() as connection:
            rows = connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            found = [dict(row._mapping) for row in rows]
        return [tuple(row[c] for c in columns) for row in found] if columns else found

    def derived(self) -> dict[str, list[Any]]:
        return {table.name: self.rows(table) for table in DERIVED}
