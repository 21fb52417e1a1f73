"""Appending for the tasks of an event loop, whose messages a client sends in common batches."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivery

from clearhouse.log.kafka.connection import Connection
from clearhouse.log.kafka.messages import call_back, check, delivered_position, hand_over
from clearhouse.log.log import LogError, Message
from clearhouse.log.room import Room

_POLL_SECONDS = 0.001
"""Between looks for what was delivered, while something is under way. A thread that waits for it
instead would take the interpreter from the loop at every message."""
_GATHER_SECONDS = 0.1
"""For which messages are gathered at most, while those before them are under way: a partition that
does not answer holds up the others for so long."""
_MOST_BYTES = 64 << 20
"""Under way at the same time."""
_Gathered = tuple[Message, "_Appending", int]
"""A message, and which one of its call it is."""


class _Appending:
    """The messages of one call, and what is known of them."""

    def __init__(
        self, positions: asyncio.Future[Sequence[int]], count: int, on_end: Callable[[], None]
    ) -> None:
        self.positions = positions
        self._found = [-1] * count
        self._left = count
        self._failed: LogError | None = None
        self._on_end = on_end

    def end(self, at: int, outcome: int | LogError) -> None:
        """Take note of where a message is, or why it is not."""
        if isinstance(outcome, LogError):
            self._failed = outcome
        else:
            self._found[at] = outcome
        self._left -= 1
        if self._left:
            return
        self._on_end()
        if self.positions.done():  # who waited was cancelled
            return
        if self._failed is None:
            self.positions.set_result(self._found)
        else:
            self.positions.set_exception(self._failed)


class KafkaAppender:
    """See `Appender`. It belongs to the loop in which it is made.

    Args:
        connection: of the cluster.
        topics: names on the server, by topic.
    """

    def __init__(self, connection: Connection, topics: Mapping[str, str]) -> None:
        self._connection = connection
        self._topics = topics
        self._loop = asyncio.get_running_loop()
        self._room = Room(_MOST_BYTES)
        self._producer: Producer | None = None
        self._is_broken = False
        self._is_closed = False
        self._gathered: list[_Gathered] = []
        self._handed_over_at = 0.0
        self._lately = 1
        """How many messages waited at one time, not long ago."""
        self._ends_group = False
        self._under_way = 0
        self._looks = False

    async def append(self, messages: Sequence[Message]) -> Sequence[int]:
        """See `Appender.append`."""
        check(messages, self._topics)
        size = sum(len(message.value) for message in messages)
        await self._room.take(size)
        if self._is_closed or not messages:
            self._room.give_back(size)
            if messages:
                raise LogError("The log is being closed.", "log_closed")
            return ()
        self._note_delivered()
        appending = _Appending(
            self._loop.create_future(), len(messages), partial(self._room.give_back, size)
        )
        self._gathered += [(message, appending, at) for at, message in enumerate(messages)]
        if self._is_group() and not self._ends_group:
            self._ends_group = True
            self._loop.call_soon(self._end_group)
        if not self._looks:
            self._looks = True
            self._loop.call_later(_POLL_SECONDS, self._look)
        return await appending.positions

    async def close(self) -> None:
        """See `Appender.close`."""
        self._is_closed = True
        while self._under_way or self._gathered:
            await asyncio.sleep(_POLL_SECONDS)
        self._producer = None

    def _is_group(self) -> bool:
        """Whether what has been gathered is to be handed over, though more is under way.

        It is, as soon as it is half of what was lately waited for at one time: the other half is on
        its way then, and neither this process nor the broker waits for the other.
        """
        gathered = len(self._gathered)
        return 2 * gathered >= self._lately and gathered >= self._under_way

    def _end_group(self) -> None:
        """Hand over a group, with what else came in this turn of the loop."""
        self._ends_group = False
        if self._is_group():
            self._hand_over()

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        self._handed_over_at = self._loop.time()
        if not gathered:
            return
        self._lately = max(self._lately - 1, self._under_way + len(gathered))
        if any(message.headers for message, _, _ in gathered):  # a batch of the client has none
            for each in gathered:
                self._hand_over_one(*each)
            return
        by_topic: dict[str, list[_Gathered]] = {}
        for each in gathered:
            by_topic.setdefault(each[0].topic, []).append(each)
        for topic, group in by_topic.items():
            self._hand_over_together(self._topics[topic], group)

    def _hand_over_together(self, name: str, group: Sequence[_Gathered]) -> None:
        batch: list[dict[str, Any]] = [
            {
                "value": message.value,
                "key": message.key or None,
                "callback": partial(self._delivered, appending, at),
            }
            for message, appending, at in group
        ]
        try:
            taken = self._usable().produce_batch(name, batch)
        except KafkaException as error:
            self._refused(error, group)
            return
        self._under_way += taken
        if taken < len(batch):
            for each, handed in zip(group, batch, strict=True):
                if "_error" in handed:
                    self._refused(handed["_error"], [each])

    def _hand_over_one(self, message: Message, appending: _Appending, at: int) -> None:
        try:
            name = self._topics[message.topic]
            hand_over(self._usable(), name, message, partial(self._delivered, appending, at))
        except KafkaException as error:
            self._refused(error, [(message, appending, at)])
        else:
            self._under_way += 1

    def _refused(self, error: KafkaError | KafkaException, group: Sequence[_Gathered]) -> None:
        """The producer takes no more."""
        self._is_broken = True
        told = self._connection.told(error)
        for _, appending, at in group:
            appending.end(at, told)

    def _usable(self) -> Producer:
        if self._is_broken and not self._under_way:
            self._producer = None
        if self._producer is None:
            settings = {
                # They have been gathered, and are handed over at once: nothing else is to come.
                "linger.ms": 0,
                # A broker handles the requests of a connection one after the other: while one is
                # handled, the next is on its way. What is not sent yet goes into larger ones.
                "max.in.flight.requests.per.connection": 2,
                "queue.buffering.max.messages": 0,  # their bytes are bounded
            }
            self._producer = Producer(self._connection.producer_settings(settings))
            self._is_broken = False
        return self._producer

    def _look(self) -> None:
        """Take note of what was delivered, and hand over what has been gathered meanwhile.

        Who has just been answered has until the next look to send more: a client sends one request
        for each partition of a group, so that larger groups cost the broker less.
        """
        # Where all who sent of late wait, an answer is likely to come next.
        delivered = self._note_delivered(_POLL_SECONDS if self._under_way >= self._lately else 0.0)
        is_idle = not self._under_way and not delivered
        is_late = self._loop.time() - self._handed_over_at >= _GATHER_SECONDS
        if is_idle or is_late or self._is_group():
            self._hand_over()
        self._looks = bool(self._under_way or self._gathered)
        if self._looks:
            self._loop.call_later(_POLL_SECONDS, self._look)

    def _note_delivered(self, seconds: float = 0.0) -> int:
        """How many messages were delivered, or failed, since it was last looked for.

        Args:
            seconds: for which the first one is waited for.
        """
        if self._producer is None or not self._under_way:
            return 0
        try:
            return call_back(partial(self._producer.poll, seconds))
        except KafkaException as error:  # what is under way is told next that it has failed
            self._connection.note(error.args[0])
            self._is_broken = True
            return 0

    def _delivered(
        self, appending: _Appending, at: int, error: KafkaError | None, delivery: Delivery
    ) -> None:
        self._under_way -= 1
        if error is None:
            appending.end(at, delivered_position(delivery))
        else:
            self._is_broken = self._is_broken or error.fatal()
            appending.end(at, self._connection.told(error))
