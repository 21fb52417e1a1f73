"""Raw webhooks to landing by day, so that the log can forget them and a replay can read them.

An object holds what the topic holds from its first position to the end of a block of 4096 positions
within one UTC day. Line i is the webhook at position first + i, as the log holds it. So an object's
name and bytes follow from positions alone: writing one again writes the same. While a block is
still growing, `flush` lands what is there; a later object of the same first position holds more,
and is the one that is read.
"""

import base64
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from clearhouse.landing.objects import LandedObject
from clearhouse.landing.store import Landing
from clearhouse.log.log import Log, Progress, Record, StaleProgress
from clearhouse.payments.topics import WEBHOOKS
from clearhouse.payments.webhook import StoredWebhook, decode_webhook

CONSUMER = "archive"
SOURCE = "payments_webhooks"
"""The name in landing."""
BLOCK = 4096
_MOST_BYTES = 64 << 20
"""Of a block's lines: large webhooks end it sooner. That too follows from positions alone."""
_READ_AT_ONCE = 1_000


class Archived(NamedTuple):
    """A webhook of the archive; None where the log held something else."""

    position: int
    book_date: dt.date
    webhook: StoredWebhook | None


class _Block(NamedTuple):
    """What the log holds of a block."""

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
        """Land the next whole block.

        Returns:
            How many webhooks it holds; 0 where none is whole yet.

        Raises:
            LogError, StoreError, ServerError: the log or landing can't be used.
        """
        if self._is_growing():
            return 0
        block = self._next()
        if block is None or not block.is_whole:
            return 0
        self._land(block)
        self._pass(block)
        return len(block.records)

    def flush(self) -> int:
        """Land every webhook that the log holds now, also of a block that is still growing.

        Returns:
            How many were landed by this call.
        """
        landed = 0
        while (block := self._next()) is not None:
            self._land(block)
            landed += len(block.records)
            if not block.is_whole:
                break
            self._pass(block)
        return landed

    def _pass(self, block: _Block) -> None:
        with suppress(StaleProgress):  # another process has landed the same bytes
            self._log.append([], Progress(CONSUMER, WEBHOOKS.name, block.end))

    def _is_growing(self) -> bool:
        """Whether the next block can't be whole yet, seen without reading it."""
        start = self._log.progress(CONSUMER, WEBHOOKS.name)
        first = self._log.read(WEBHOOKS.name, start, 1)
        if not first:
            return True
        is_today = first[0].appended_at.date() == self._now().date()
        return is_today and self._log.end(WEBHOOKS.name) < _end_of_block(start)

    def _next(self) -> _Block | None:
        start = self._log.progress(CONSUMER, WEBHOOKS.name)
        end = _end_of_block(start)
        records: list[Record] = []
        size = 0
        for record in self._from(start):
            is_other_day = records and record.appended_at.date() != records[0].appended_at.date()
            if record.position == end or is_other_day or size + len(record.value) > _MOST_BYTES:
                return _Block(records, is_whole=True)
            records.append(record)
            size += len(record.value)
        if not records:
            return None
        is_over = records[0].appended_at.date() < self._now().date()
        return _Block(records, is_whole=is_over or records[-1].position + 1 == end)

    def _from(self, position: int) -> Iterator[Record]:
        while records := self._log.read(WEBHOOKS.name, position, _READ_AT_ONCE):
            yield from records
            position = records[-1].position + 1

    def _land(self, block: _Block) -> None:
        payload = b"".join(_line(record.value) for record in block.records)
        request = {"topic": WEBHOOKS.name, "first_position": block.first}
        self._landing.put_numbered(SOURCE, block.day, block.first, payload, request)


def _end_of_block(position: int) -> int:
    return position - position % BLOCK + BLOCK


def _line(value: bytes) -> bytes:
    """A record as one line; what is no JSON of one line is kept as base64 text."""
    try:
        if b"\n" not in value:
            decode_webhook(value)
            return value + b"\n"
    except (msgspec.DecodeError, RecursionError):
        pass
    return msgspec.json.encode({"not_a_webhook_base64": base64.b64encode(value).decode()}) + b"\n"


def archived_objects(landing: Landing, day: dt.date) -> list[LandedObject]:
    """The objects of a day that together hold each of its archived webhooks once, in order."""
    largest: dict[int, LandedObject] = {}
    for landed in landing.objects(SOURCE, day):
        known = largest.get(landed.version)
        if known is None or known.records < landed.records:
            largest[landed.version] = landed
    return [largest[first] for first in sorted(largest)]


def archived(landing: Landing, day: dt.date) -> Iterator[Archived]:
    """The webhooks of a day, in the order of their positions.

    Raises:
        StoreError, ServerError: landing can't be read, or is not as it was left.
    """
    for landed in archived_objects(landing, day):
        for number, line in enumerate(landing.read(landed).splitlines()):
            yield Archived(landed.version + number, day, _webhook(line))


def _webhook(line: bytes) -> StoredWebhook | None:
    try:
        return decode_webhook(line)
    except (msgspec.DecodeError, RecursionError):
        return None
