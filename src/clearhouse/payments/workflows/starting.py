"""Starting the run of each event that the log holds, or telling the run of it that there is.

An event's id is its run's. While the run is under way, another delivery of the event is a signal to
it; when it has completed, the event is recorded, and what the delivery came to is recorded here. A
run that has failed is started anew: its event was dead-lettered, and is delivered or redriven now.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from temporalio.client import Client
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from clearhouse.core import tracing
from clearhouse.core.not_json import NOT_JSON
from clearhouse.log.log import Record
from clearhouse.payments.activities import problems_of
from clearhouse.payments.event import PaymentEvent, decode_event
from clearhouse.payments.store.recorder import Handled, Recorder
from clearhouse.payments.worker.history import known_by
from clearhouse.payments.workflows import messages
from clearhouse.payments.workflows.messages import Delivery, delivery_of, workflow_id
from clearhouse.payments.workflows.under_way import ORDER_SECONDS, UnderWay
from clearhouse.workflows.temporal import TemporalPlace, error_of

STARTED, SIGNALLED, REFUSED = "started", "signalled", "refused"
_REQUESTS = 64
"""To the server at a time."""
_MOST_OF_EVENT = 256 << 10
"""Bytes of an event that a run is started for. The rules refuse a larger one, and so does a server:
it is recorded here."""
_MOST_OF_KEYWORD = 255
_ATTRIBUTES = {name: SearchAttributeKey.for_keyword(name) for name in messages.SEARCHED_BY}


@dataclass(slots=True)
class Started:
    """What became of a batch of records.

    Attributes:
        by_result: how many runs were started and signalled, and how many were refused as completed.
        unreadable: messages that are no events.
    """

    by_result: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys((STARTED, SIGNALLED, REFUSED), 0)
    )
    unreadable: int = 0


class Starting:
    """Starts runs for batches of records.

    Args:
        client: of the workflow server.
        place: the same server, for sentences.
        recorder: for deliveries of what is recorded, and for messages that are no events.
        under_way: keeps runs of a payment in order, and what waits in the log.
        clock: the time in UTC.
    """

    def __init__(
        self,
        client: Client,
        place: TemporalPlace,
        recorder: Recorder,
        under_way: UnderWay,
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._client = client
        self._place = place
        self._recorder = recorder
        self._clock = clock
        self._room = asyncio.Semaphore(_REQUESTS)
        self._under_way = under_way

    async def start(self, records: Sequence[Record]) -> Started:
        """See that each event is in the hands of a run, or recorded. It may be repeated.

        Raises:
            WorkflowsError: the server can't be reached, or refuses. Some may have been started.
            ServerError, StoreError, OperationalError: the store can't be used.
        """
        done = Started()
        unreadable: list[Record] = []
        queues: dict[str, list[tuple[Record, PaymentEvent]]] = {}
        for record in records:
            try:
                event = decode_event(record.value)
            except NOT_JSON:
                unreadable.append(record)
                continue
            queues.setdefault(_kept_in_order(event), []).append((record, event))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._in_order(queue)) for queue in queues.values()]
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        results = [each for task in tasks for each in task.result()]
        for _, _, result in results:
            done.by_result[result] += 1
        done.unreadable = len(unreadable)
        refused = [(record, event) for record, event, result in results if result == REFUSED]
        if refused or unreadable:
            await asyncio.to_thread(self._record, refused, unreadable)
        return done

    def _record(
        self, refused: Iterable[tuple[Record, PaymentEvent]], unreadable: Sequence[Record]
    ) -> None:
        handled = [Handled(event, record, problems_of(event)) for record, event in refused]
        self._recorder.record(handled, None, unreadable=unreadable)

    async def _in_order(
        self, queue: Sequence[tuple[Record, PaymentEvent]]
    ) -> list[tuple[Record, PaymentEvent, str]]:
        found = []
        ordered_until = asyncio.get_running_loop().time() + ORDER_SECONDS
        for record, event in queue:
            if len(record.value) > _MOST_OF_EVENT:
                found.append((record, event, REFUSED))
                continue
            await self._under_way.begin(
                event.webhook_position, _kept_in_order(event), ordered_until
            )
            result = REFUSED
            try:
                async with self._room:
                    with tracing.within(record.headers):
                        result = await self._start(delivery_of(record, event), event)
            except RPCError as error:
                raise error_of(self._place, error) from None
            finally:
                if result == REFUSED:
                    self._under_way.end(event.webhook_position)
            found.append((record, event, result))
        return found

    async def _start(self, delivery: Delivery, event: PaymentEvent) -> str:
        own = workflow_id(event.event_id)
        for _ in range(2):  # a run that fails between the two requests is started anew
            try:
                await self._client.start_workflow(
                    messages.PAYMENT_EVENT,
                    delivery,
                    id=own,
                    task_queue=messages.TASK_QUEUE,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                    search_attributes=_attributes(event),
                )
            except WorkflowAlreadyStartedError:
                if await self._signal(own, delivery):
                    return SIGNALLED
            else:
                return STARTED
        return REFUSED

    async def _signal(self, own: str, delivery: Delivery) -> bool:
        """Tell a run of another delivery; whether it is still under way."""
        try:
            await self._client.get_workflow_handle(own).signal(messages.DELIVERED, delivery)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True


def _kept_in_order(event: PaymentEvent) -> str:
    """What events are of that are recorded one after the other, so that each knows of the last."""
    return known_by(event) or event.event_id


def _attributes(event: PaymentEvent) -> TypedSearchAttributes:
    """By what a run can be found; of what no index takes, the beginning."""
    values = {
        messages.PROVIDER: event.provider.value,
        messages.EVENT_TYPE: event.event_type.value,
        messages.PAYMENT_ID: (event.payment_id or "").replace("\0", "")[:_MOST_OF_KEYWORD],
    }
    return TypedSearchAttributes(
        [SearchAttributePair(_ATTRIBUTES[name], value) for name, value in values.items() if value]
    )
