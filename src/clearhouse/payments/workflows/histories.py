"""What is known of payments before events that many runs ask about at the same time."""

import asyncio
from collections.abc import Sequence

import sqlalchemy as sa

from clearhouse.core.batching import Batcher
from clearhouse.payments.event import PaymentEvent
from clearhouse.payments.inference.model import History
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.sql import select_in
from clearhouse.payments.store.tables import delivery
from clearhouse.payments.worker.history import new_with_history

_PATIENCE_SECONDS = 3.0
"""That an event waits for the one before it of its payment. What is not recorded by then counts as
not known: advice is not worth more of a delay."""
_LOOKS_EVERY_SECONDS = 0.02


class Histories:
    """Asks the store, for many runs at once.

    Events of a payment are asked about in their order, so that each knows of those before it, as it
    would in a worker that takes one after the other.

    Args:
        store: holds what is recorded.
    """

    def __init__(self, store: PaymentStore) -> None:
        self._store = store
        self._histories = Batcher(self._read)
        self._recorded = Batcher(self._are_recorded)

    async def before(self, event: PaymentEvent, after: int | None) -> History | None:
        """What earlier events said of an event's payment; None where the event is recorded.

        Args:
            event: the one that is to be recorded.
            after: the webhook position of the last one before it of the same payment.
        """
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + _PATIENCE_SECONDS
        while after is not None and not await self._recorded.ask(after):
            if loop.time() > give_up_at:
                break
            await asyncio.sleep(_LOOKS_EVERY_SECONDS)
        return await self._histories.ask(event)

    def _read(self, events: Sequence[PaymentEvent]) -> list[History | None]:
        found = new_with_history(self._store, events)
        by_id = {event.event_id: history for event, history in found}
        return [by_id.get(event.event_id) for event in events]

    def _are_recorded(self, positions: Sequence[int]) -> list[bool]:
        column = delivery.c.webhook_position
        with self._store.reading() as connection:
            rows = select_in(connection, sa.select(column), column, set(positions))
        found = {position for (position,) in rows}
        return [position in found for position in positions]
