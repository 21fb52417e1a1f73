"""Raw webhooks to landing by day, so that the log can forget them and a replay can read them.

An object holds what a partition holds from its first position to the end of a block of 4096
positions within one UTC day, or to a gap between positions. Line i is the webhook at position
first + i, as the log holds it. So an object's name and bytes follow from positions alone: writing
one again writes the same. While a block is still growing, `flush` lands what is there; a later
object of the same first position holds more, and is the one that is read.
"""

import base64
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from clearhouse.core.not_json import NOT_JSON
from clearhouse.landing.objects import LandedObject
from clearhouse.landing.store import Landing
from clearhouse.log.log import Log, Progress, Record, StaleProgress, partition_of
from clearhouse.log.scan import records
from clearhouse.payments.topics import WEBHOOKS
from clearhouse.payments.webhook import StoredWebhook, decode_webhook

CONSUMER = "archive"
SOURCE = "payments_webhooks"
"""The name in landing."""
BLOCK = 4096
_MOST_BYTES = 64 << 20
"""Of a block's lines: large webhooks end it sooner. That too follows from positions alone."""


class Archived(NamedTuple):
    """A webhook of the archive; None where the log held something else."""

    position: int
    book_date: dt.date
    webhook: StoredWebhook | None


class _Block(NamedTuple):
    """Records that are to be one object."""

    records: Sequence[Record]
    is_whole: bool

    @property
    def day(self) -> dt.date:
        return self.records[0].appended_at.date()

    @property
    def first(self) -> int:
        return self.records[0].position

    @property
    def end(self) -> int:
        return self.records[-1].position + 1


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Archive:
    """Writes webhooks of the log to landing. One process at a time comes further.

    Args:
        log: holds webhooks, and how far this has come.
        landing: where they go.
        now: the clock (aware): a block of a day that is over is whole.
    """

    def __init__(self, log: Log, landing: Landing, now: Callable[[], dt.datetime] = _now) -> None:
        self._log = log
        self._landing = landing
        self._now = now

    def step(self) -> int:
        """Land the next whole block of each partition.

        Returns:
            How many webhooks they hold; 0 where none is whole yet.

        Raises:
            LogError, StoreError, ServerError: the log or landing can't be used.
        """
        return sum(self._step(p) for p in range(self._log.partitions(WEBHOOKS.name)))

    def flush(self) -> int:
        """Land every webhook that the log holds now, also of blocks that are still growing.

        Returns:
            How many were landed by this call.
        """
        return sum(self._flush(p) for p in range(self._log.partitions(WEBHOOKS.name)))

    def _step(self, partition: int) -> int:
        start = self._start(partition)
        if self._is_growing(start):
            return 0
        block = self._next(start)
        if block is None or not block.is_whole:
            return 0
        self._land(block)
        self._pass(block)
        return len(block.records)

    def _flush(self, partition: int) -> int:
        landed = 0
        while (block := self._next(self._start(partition))) is not None:
            self._land(block)
            landed += len(block.records)
            if not block.is_whole:
                break
            self._pass(block)
        return landed

    def _start(self, partition: int) -> int:
        return self._log.progress(CONSUMER, WEBHOOKS.name, partition)

    def _pass(self, block: _Block) -> None:
        with suppress(StaleProgress):  # another process has landed the same bytes
            self._log.append([], Progress(CONSUMER, WEBHOOKS.name, block.end))

    def _is_growing(self, start: int) -> bool:
        """Whether the next block can't be whole yet, seen without reading it."""
        first = self._log.read(WEBHOOKS.name, start, 1)
        if not first:
            return True
        is_today = first[0].appended_at.date() == self._now().date()
        end = self._log.end(WEBHOOKS.name, partition_of(start))
        return is_today and end < _end_of_block(first[0].position)

    def _next(self, start: int) -> _Block | None:
        found: list[Record] = []
        size = 0
        for record in records(self._log, WEBHOOKS.name, start):
            size += len(record.value)
            if found and (_is_apart(found[-1], record) or size > _MOST_BYTES):
                return _Block(found, is_whole=True)
            found.append(record)
        if not found:
            return None
        is_over = found[0].appended_at.date() < self._now().date()
        is_at_end = found[-1].position + 1 == _end_of_block(found[-1].position)
        return _Block(found, is_whole=is_over or is_at_end)

    def _land(self, block: _Block) -> None:
        payload = b"".join(_line(record.value) for record in block.records)
        request = {"topic": WEBHOOKS.name, "first_position": block.first}
        self._landing.put_numbered(SOURCE, block.day, block.first, payload, request)


def _is_apart(before: Record, record: Record) -> bool:
    """Whether a record can't be in one object with the one before it."""
    return (
        record.position != before.position + 1
        or record.position % BLOCK == 0
        or record.appended_at.date() != before.appended_at.date()
    )


def _end_of_block(position: int) -> int:
    return position - position % BLOCK + BLOCK


def _line(value: bytes) -> bytes:
    """A record as one line; what is no JSON of one line is kept as base64 text."""
    try:
        if b"\n" not in value:
            decode_webhook(value)
            return value + b"\n"
    except NOT_JSON:
        pass
    return msgspec.json.encode({"not_a_webhook_base64": base64.b64encode(value).decode()}) + b"\n"


def archived_objects(landing: Landing, day: dt.date) -> list[LandedObject]:
    """The objects of a day that together hold each of its archived webhooks, in order."""
    largest: dict[int, LandedObject] = {}
    for landed in landing.objects(SOURCE, day):
        known = largest.get(landed.version)
        if known is None or known.records < landed.records:
            largest[landed.version] = landed
    return [largest[first] for first in sorted(largest)]


def archived(landing: Landing, day: dt.date, holding: bytes = b"") -> Iterator[Archived]:
    """The webhooks of a day, each once, in the order of their positions.

    Args:
        landing: holds them.
        day: the book date.
        holding: bytes that a webhook's line must have; the others are not decoded, and left out.

    Raises:
        StoreError, ServerError: landing can't be read, or is not as it was left.
    """
    return archived_in(landing, archived_objects(landing, day), day, holding)


def archived_in(
    landing: Landing, objects: Iterable[LandedObject], day: dt.date, holding: bytes = b""
) -> Iterator[Archived]:
    """The webhooks that `archived_objects` of a day hold: see `archived`."""
    end = 0  # where clocks of two processes disagree on the end of a day, two objects overlap
    for landed in objects:
        for number, line in enumerate(landing.read(landed).splitlines()):
            position = landed.version + number
            if position >= end:
                end = position + 1
                if holding in line:
                    yield Archived(position, day, _webhook(line))


def _webhook(line: bytes) -> StoredWebhook | None:
    try:
        return decode_webhook(line)
    except NOT_JSON:
        return None
