"""What each service of payments has to be allowed at Kafka, and no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from clearhouse.log.kafka.forgotten import GROUP as FORGOTTEN
from clearhouse.log.kafka.reader import GROUP as READER
from clearhouse.payments.normalizer import archive
from clearhouse.payments.store import outbox
from clearhouse.payments.topics import (
    EVENTS,
    GATEWAY_CHECK,
    GATEWAY_DEAD,
    NORMALIZER,
    NORMALIZER_DEAD,
    OUTBOX,
    RECORDED,
    REDRIVEN,
    RETRIES,
    TOPICS,
    UNMAPPED,
    WEBHOOKS,
    WORKER_DEAD,
)
from clearhouse.payments.unrecorded import STARTER

Resource = Literal["topic", "source", "group", "transactional-id"]
Operation = Literal["Read", "Write", "Create", "Delete", "Describe", "DescribeConfigs"]


@dataclass(frozen=True, slots=True)
class Right:
    """Operations on one resource.

    Attributes:
        resource: its kind; a source is a topic without messages, which keeps progress in what is
            no topic.
        name: as services name it, without the prefix that LOG_URL gives it on the server.
        is_prefix: it holds for all resources whose names begin so.
    """

    resource: Resource
    name: str
    operations: tuple[Operation, ...]
    is_prefix: bool = False


def rights(*, has_workflows: bool) -> dict[str, Sequence[Right]]:
    """What each role needs.

    Args:
        has_workflows: events are recorded by workflows of a server, which the starter begins;
            without them the worker reads the events itself.
    """
    all_topics = [topic.name for topic in TOPICS]
    events = [EVENTS.name, REDRIVEN.name]
    publishes = [
        *_topics("Write", RECORDED.name, WORKER_DEAD.name, WEBHOOKS.name, REDRIVEN.name),
        *_topics("Write", RETRIES.name),
        Right("source", OUTBOX, ("Read",)),
        *_writes_alone(outbox.CONSUMER),
    ]
    # Deleting is of what has been read by all, before its retention ends. Of which days that was is
    # noted for a group.
    notes_days = Right("group", FORGOTTEN, ("Read",))
    reads_events = [*_reads(*events), *_topics("Delete", *events), notes_days]
    archives = [*_reads(WEBHOOKS.name), *_writes_alone(archive.CONSUMER)]
    roles = {
        "gateway": [
            *_topics("Write", WEBHOOKS.name, GATEWAY_DEAD.name),
            Right("source", GATEWAY_CHECK, ("Read",)),
            *_writes_alone("gateway-", is_prefix=True),
        ],
        "normalizer": [
            *archives,
            *_subscribes(NORMALIZER),
            *_topics("Write", EVENTS.name, UNMAPPED.name, NORMALIZER_DEAD.name),
            *_topics("Delete", WEBHOOKS.name, UNMAPPED.name, RECORDED.name),
            *_topics("Delete", GATEWAY_DEAD.name, NORMALIZER_DEAD.name, WORKER_DEAD.name),
            notes_days,
        ],
        "starter": [*reads_events, *_subscribes(STARTER)],
        "worker": [*publishes, *([] if has_workflows else reads_events)],
        "batch": [
            *_reads(*all_topics),
            *(
                Right("group", name, ("Describe",))
                for name in (NORMALIZER, archive.CONSUMER, STARTER, FORGOTTEN)
            ),
        ],
        "operator": [*publishes, *archives, *_reads(*all_topics), *_progress_of_others()],
        "prepare": [
            Right(kind, name, ("Create", "DescribeConfigs"), is_prefix=True)
            for kind, name in _ALL_NAMES
        ],
    }
    if not has_workflows:
        del roles["starter"]
    return {role: [*_SEES_THE_LOG, *own] for role, own in roles.items()}


_ALL_NAMES: tuple[tuple[Resource, str], ...] = (("topic", "payments."), ("source", ""))
_SEES_THE_LOG = tuple(Right(kind, name, ("Describe",), is_prefix=True) for kind, name in _ALL_NAMES)
"""Who opens a log sees that its topics are there, and how far they go."""


def _topics(operation: Operation, *names: str) -> list[Right]:
    return [Right("topic", name, (operation,)) for name in names]


def _reads(*names: str) -> list[Right]:
    """To read topics. Who does so outside of a group names one that nobody ever joins."""
    return [*_topics("Read", *names), Right("group", READER, ("Describe",))]


def _writes_alone(consumer: str, *, is_prefix: bool = False) -> list[Right]:
    """To move a progress that one process moves at a time, and write what follows with it."""
    return [
        Right("group", consumer, ("Read",), is_prefix),
        Right("transactional-id", consumer, ("Write", "Describe"), is_prefix),
    ]


def _subscribes(consumer: str) -> list[Right]:
    """To share a topic's partitions with other processes, each with an id of its own."""
    return [
        Right("group", consumer, ("Read",)),
        Right("transactional-id", f"{consumer}.", ("Write", "Describe"), is_prefix=True),
    ]


def _progress_of_others() -> list[Right]:
    return [Right("group", name, ("Describe",)) for name in (NORMALIZER, STARTER)]


def by_commands(found: Sequence[Right]) -> Mapping[tuple[tuple[Operation, ...], bool], list[Right]]:
    """Rights by their operations and whether they are of prefixes: one command gives each."""
    grouped: dict[tuple[tuple[Operation, ...], bool], list[Right]] = {}
    for right in found:
        grouped.setdefault((right.operations, right.is_prefix), []).append(right)
    return grouped
