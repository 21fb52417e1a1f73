"""What services need of an event log, and no more.

A message is appended to a partition of a topic, gets a position there, and stays until it is aged
out. Messages of one key are in one partition, in their order. Who reads keeps their own position,
in the store that holds the effect of what they read: a consumer whose effect is in another store
keeps it there, and one whose effect is in the log commits it with the messages that it appends
(`Subscription.commit`, `Log.append`). So nothing is done twice or left out.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from clearhouse.core.errors import ClearhouseError

PARTITION_SPAN = 10**13
"""Positions of partition p begin at p times this. So one whole number names a record of a topic on
every log, it fits 64 bits and a JSON number, and a log of one partition counts from 0."""

MOST_BYTES = 4 << 20
"""Of a message's value."""


class LogError(ClearhouseError):
    """The log could not take or give messages; nothing of the call has happened."""

    code = "log_failed"


class Message(msgspec.Struct, frozen=True, gc=False):
    """What is appended.

    Attributes:
        topic: one that is declared.
        key: messages of a key keep their order.
        value: up to 4 MiB.
        headers: for who carries them on, such as a trace's context. A local log leaves them out.
    """

    topic: str
    key: str
    value: bytes
    headers: Sequence[tuple[str, str]] = ()

    def __repr__(self) -> str:
        """Without the value, which is large, and no one else's affair."""
        return f"Message({self.topic}, {self.key}, {len(self.value)} bytes)"

    def with_headers(self, headers: Sequence[tuple[str, str]]) -> "Message":
        """The message with other headers."""
        return Message(self.topic, self.key, self.value, headers)


class Record(msgspec.Struct, frozen=True, gc=False):
    """A message that was appended.

    Attributes:
        position: its place in its topic (see `PARTITION_SPAN`); it grows within a partition. A
            local log has no gaps; on a server a transaction leaves some.
        appended_at: when, in UTC, by the log's clock, which never goes back within a partition. The
            day of it is the book date of what the message says.
    """

    topic: str
    position: int
    key: str
    value: bytes
    appended_at: dt.datetime
    headers: Sequence[tuple[str, str]] = ()

    def __repr__(self) -> str:
        """Without the value, as a message's."""
        return f"Record({self.topic}, {self.position}, {self.key}, {len(self.value)} bytes)"

    def with_headers(self, headers: Sequence[tuple[str, str]]) -> "Record":
        """The record with other headers, if there are any."""
        return msgspec.structs.replace(self, headers=headers) if headers else self


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a consumer has come in a partition: `position` is where it will read on."""

    consumer: str
    topic: str
    position: int


def partition_of(position: int) -> int:
    """The partition that a position is in."""
    return position // PARTITION_SPAN


def check_sizes(messages: Iterable[Message]) -> None:
    """See that every message can be taken.

    Raises:
        LogError: one is too large (message_too_large).
    """
    for message in messages:
        if len(message.value) > MOST_BYTES:
            raise LogError(
                f"A message of {len(message.value):,} bytes is too large for the log, which takes "
                f"{MOST_BYTES:,}.",
                "message_too_large",
            )


class Reached:
    """How far a topic has been read, by partition.

    Args:
        positions: where reading goes on, at most one of each partition. Of a partition that is not
            named nothing has been read.
    """

    def __init__(self, positions: Iterable[int] = ()) -> None:
        self.positions = tuple(sorted(positions))
        self._by_partition = {partition_of(each): each for each in self.positions}

    def __contains__(self, position: int) -> bool:
        """Whether the record at a position has been read."""
        return position < self._by_partition.get(partition_of(position), 0)

    def of(self, partition: int) -> int:
        """Where reading goes on in a partition."""
        return self._by_partition.get(partition, partition * PARTITION_SPAN)


class Subscription(Protocol):
    """A consumer's reading of one topic, with its progress in the log. One thread uses it.

    Processes of one consumer share the partitions of a topic; of one partition, one comes further.
    """

    def read(self, limit: int) -> Sequence[Record]:
        """The next records, those of a partition in order; none where there are none now.

        What was read and not committed is given again.

        Raises:
            LogError: the log can't be read.
        """
        ...

    def commit(self, handled: Sequence[Record], messages: Sequence[Message]) -> None:
        """Append messages, and note that records are handled: all of it or nothing.

        Args:
            handled: the first so many of what `read` gave.
            messages: what follows from them.

        Raises:
            StaleProgress: another process has these records now. `read` goes on with what is ours.
            LogError: the log can't be written; `read` gives the same again.
        """
        ...

    def begin_commit(self, handled: Sequence[Record], messages: Sequence[Message]) -> None:
        """Begin what `commit` does. `read` goes on behind these records, and `end_commit` ends it.

        What was begun before has been ended. A log that has nothing to wait for commits at once.

        Raises:
            StaleProgress, LogError: as of `commit`; nothing was begun.
        """
        ...

    def end_commit(self) -> None:
        """Wait until what was begun is committed. Where nothing was, nothing is done.

        Raises:
            StaleProgress, LogError: as of `commit`; what was read behind these records is given
                again too.
        """
        ...

    def close(self) -> None:
        """Leave the partitions to others. What was begun comes to its end first."""
        ...


class Appender(Protocol):
    """Appends for the tasks of one event loop. Made in that loop, and closed there."""

    async def append(self, messages: Sequence[Message]) -> Sequence[int]:
        """Append messages. They are durable when this returns.

        Returns:
            The position of each.

        Raises:
            LogError: they could not be, or this is closed (log_closed). On a server some of them
                may be there all the same.
        """
        ...

    async def close(self) -> None:
        """Append what waits, and take no more. The log stays open."""
        ...


class Log(Protocol):
    """A log. Several processes use one at the same time; readers never wait for writers."""

    @property
    def identity(self) -> str:
        """Made with the log: positions of one log mean nothing in another."""
        ...

    def append(
        self, messages: Sequence[Message], progress: Progress | None = None
    ) -> Sequence[int]:
        """Append messages, in their order, and note a consumer's progress: all of it or nothing.

        It is durable when this returns. On a server, messages without progress are no transaction:
        after an error some of them may be there.

        Returns:
            The position of each message.

        Raises:
            LogError: it can't be written (log_full where there is no room).
            StaleProgress: another process of the consumer has come further meanwhile.
        """
        ...

    def appender(self) -> Appender:
        """What appends for the event loop that this is called in."""
        ...

    def subscribe(self, consumer: str, topic: str) -> Subscription:
        """Read a topic as a consumer whose effects are in this log."""
        ...

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        ...

    def read(self, topic: str, position: int, limit: int = 500) -> Sequence[Record]:
        """The records of a partition from a position on, in order; none where there are none yet.

        Raises:
            LogError: it can't be read, or what stood at the position has been aged out (aged_out).
        """
        ...

    def progress(self, consumer: str, topic: str, partition: int = 0) -> int:
        """The position of the next record that a consumer will read; that of the first at first.

        A consumer asks before it moves its progress: what another process moved since is stale.
        """
        ...

    def first(self, topic: str, partition: int = 0) -> int:
        """A position before which nothing of a partition is kept: its beginning, until records are
        aged out.
        """
        ...

    def end(self, topic: str, partition: int = 0) -> int:
        """The position that the next message of a partition will get, or a smaller one that none
        has.
        """
        ...

    def waiting(self, topic: str, position: int) -> int:
        """How many records are in a partition from a position on: none, or at most so many.

        Those that can't be read yet are among them (see `settle`).
        """
        ...

    def settle(self, topics: Iterable[str]) -> None:
        """Wait until what topics were given by now can be read, or was given up.

        On a server a record stands behind those of a transaction that is open, and stays behind
        one of a killed process for some seconds. Whoever compares a consumer's progress with what
        it appended waits between asking for the first and reading the second.

        Raises:
            LogError: it can't be read in time (log_unsettled).
        """
        ...

    def positions_of(self, topic: str, day: dt.date, partition: int = 0) -> tuple[int, int]:
        """First position of a UTC day in a partition, and that after its last; equal where it has
        none.
        """
        ...

    def position_at(self, topic: str, moment: dt.datetime, partition: int = 0) -> int:
        """The position of the first record of a partition that was appended at a moment or later;
        the end where there is none.
        """
        ...

    def forgotten_through(self, topic: str, partition: int = 0) -> dt.date | None:
        """The last UTC day of which a record of a partition may have been forgotten.

        Returns:
            None: nothing was forgotten. `datetime.date.max`: any day's may have been, as a server
            has deleted them by itself and holds no later ones.
        """
        ...

    def age_out(self, limits: Mapping[str, Iterable[int]]) -> int:
        """Forget the records before positions, by topic, each in its partition; how many there
        were, at most.
        """
        ...

    def close(self) -> None:
        """Close what is open. What was appended stays."""
        ...


class StaleProgress(LogError):  # noqa: N818
    """Another process of the same consumer has come further: read its progress and go on there."""

    code = "stale_progress"
