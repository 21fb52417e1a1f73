"""What is said to the runs of payments and by them: a part of their histories, so that a change
must leave old ones readable.
"""

import datetime as dt
import hashlib
import re
from typing import Any

import msgspec

from clearhouse.log.log import Record
from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.payments.inference.model import History
from clearhouse.payments.problem import Problem

TASK_QUEUE = "payments"
PAYMENT_EVENT = "payment_event"
RETRY_PLAN = "retry_plan"
DELIVERED = "delivered"
REDRIVE = "redrive"
STATE = "state"

PROVIDER, EVENT_TYPE, PAYMENT_ID = "PaymentProvider", "PaymentEventType", "PaymentId"
SEARCHED_BY = (PROVIDER, EVENT_TYPE, PAYMENT_ID)
"""Search attributes of a run."""

_FIT = re.compile(r"[\x21-\x7e]{1,300}")


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the log that holds the event of a run.

    Attributes:
        topic, position, key, appended_at: of the message.
        event: a PaymentEvent as JSON, as the log has it.
    """

    topic: str
    position: int
    key: str
    appended_at: dt.datetime
    event_id: str
    event_type: EventType
    event: msgspec.Raw

    @property
    def record(self) -> Record:
        """The message as it was read."""
        return Record(self.topic, self.position, self.key, bytes(self.event), self.appended_at)


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What is known before an event is recorded; without a history it is recorded already."""

    history: History | None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What inference is asked about."""

    event: msgspec.Raw
    history: History


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery to be recorded, with what is wrong with it and what inference says of it."""

    delivery: Delivery
    problems: list[Problem] = []
    decisions: list[dict[str, Any]] = []


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """When a failed payment is to be tried again, in UTC, in ascending order."""

    event_id: str
    attempts: list[dt.datetime]


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """What a run answers to the query `state`.

    Attributes:
        phase: working, waiting (for an outage to end) or done.
        reason: the code of what it waits for; "" while nothing is in its way.
        outcome: what became of its event so far: recorded, duplicate, dead_letter; "" at first.
        deliveries: how many it was given.
    """

    phase: str
    reason: str
    outcome: str
    deliveries: int


def delivery_of(record: Record, event: PaymentEvent) -> Delivery:
    """A record of the log as its run is given it."""
    return Delivery(
        topic=record.topic,
        position=record.position,
        key=record.key,
        appended_at=record.appended_at,
        event_id=event.event_id,
        event_type=event.event_type,
        event=msgspec.Raw(record.value),
    )


def plan_id(event_id: str) -> str:
    """The id of the run of a failed event's retry plan."""
    return f"retry:{workflow_id(event_id)}"


def workflow_id(event_id: str) -> str:
    """The id of the run of an event: that of the event, or its digest where a server takes none
    such.
    """
    if _FIT.fullmatch(event_id):
        return event_id
    return "sha256:" + hashlib.sha256(event_id.encode(errors="surrogatepass")).hexdigest()
