"""What services need of an event log, and no more.

A message is appended to a topic, gets the next position there, and stays until it is aged out. Who
reads keeps their own position, in the store that holds the effect of what they read: a consumer
whose effect is in another store keeps it there, and one whose effect is in the log commits it with
the messages that it appends (`Log.append`). So nothing is done twice or left out.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from clearhouse.core.errors import ClearhouseError


class LogError(ClearhouseError):
    """The log could not take or give messages; nothing of the call has happened."""

    code = "log_failed"


@dataclass(frozen=True, slots=True)
class Message:
    """What is appended.

    Attributes:
        topic: one that is declared.
        key: messages of a key keep their order.
        value: up to 4 MiB.
    """

    topic: str
    key: str
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """A message that was appended.

    Attributes:
        position: its place in its topic; it grows by one with each message, from 0.
        appended_at: when, in UTC, by the log's clock, which never goes back within a topic. The day
            of it is the book date of what the message says.
    """

    topic: str
    position: int
    key: str
    value: bytes = field(repr=False)
    appended_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a consumer has come: `position` is that of the next record that it will read."""

    consumer: str
    topic: str
    position: int


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

        It is durable when this returns.

        Returns:
            The position of each message.

        Raises:
            LogError: it can't be written (log_full where there is no room).
            StaleProgress: another process of the consumer has come further meanwhile.
        """
        ...

    def read(self, topic: str, position: int, limit: int = 500) -> Sequence[Record]:
        """The records from a position on, in order; none where there are none yet.

        Raises:
            LogError: it can't be read, or what stood at the position has been aged out (aged_out).
        """
        ...

    def progress(self, consumer: str, topic: str) -> int:
        """The position of the next record that a consumer will read; 0 at first.

        A consumer asks before it moves its progress: what another process moved since is stale.
        """
        ...

    def end(self, topic: str) -> int:
        """The position that the next message of a topic will get."""
        ...

    def positions_of(self, topic: str, day: dt.date) -> tuple[int, int]:
        """First position of a UTC day, and that after its last; equal where it has none."""
        ...

    def age_out(self, limits: Mapping[str, int]) -> int:
        """Forget the records of topics before a position, by topic; how many there were."""
        ...

    def close(self) -> None:
        """Close what is open. What was appended stays."""
        ...


class StaleProgress(LogError):  # noqa: N818
    """Another process of the same consumer has come further: read its progress and go on there."""

    code = "stale_progress"
