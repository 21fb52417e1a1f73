"""The hops of payments before bronze, which its services fill: webhooks → events → store, and raw.

A webhook is of the book date on which the log took it, and so is all that became of it, whenever
that was. Of a day that goes on, what counts is what the services have come to: a webhook that the
normalizer has not read yet is on neither side.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import msgspec
import pyarrow as pa

from clearhouse.books.hop import Hop, Leg
from clearhouse.books.measure import SPINE_SCHEMA
from clearhouse.books.model import Side
from clearhouse.books.rows_spine import RowsSpine
from clearhouse.core.errors import StoreError
from clearhouse.core.money import NO_CURRENCY
from clearhouse.landing import Landing
from clearhouse.log.log import Log, LogError, Record
from clearhouse.log.opening import LogPlace
from clearhouse.payments.log_opening import log_place, open_payment_log
from clearhouse.payments.normalizer.archive import CONSUMER, archived, archived_objects
from clearhouse.payments.normalizer.outcomes import webhook_of
from clearhouse.payments.recorded import RecordedStore
from clearhouse.payments.topics import EVENTS, NORMALIZER_DEAD, UNMAPPED, WEBHOOKS
from clearhouse.payments.webhook import StoredWebhook
from clearhouse.pipeline.domain import Reached, StreamHop
from clearhouse.settings import Settings

_READ_AT_ONCE = 5_000
_OUTCOMES = {
    "recorded": Side.OUT,
    "duplicate": Side.DUPLICATE,
    "dead_letter": Side.REJECTED,
}
_MADE = (EVENTS.name, UNMAPPED.name, NORMALIZER_DEAD.name)
"""What the normalizer makes of a webhook, the surest first."""
_SIDES = (Side.OUT, Side.IGNORED, Side.REJECTED)


class _Became(msgspec.Struct):
    """What a `PaymentEvent`, a `DeadLetter` and an `Unmapped` all say."""

    webhook_position: int
    book_date: dt.date
    body_sha256: str
    event_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None


_BECAME = msgspec.json.Decoder(_Became)
Row = tuple[dt.date, str, str, int, str]
"""Book date, record id, key, minor units and currency."""


@dataclass(frozen=True)
class Streams:
    """What the log and the operational store hold of each book date, read beside the services.

    Where the services have come to is asked once: what they do meanwhile is on no side.
    """

    place: LogPlace
    store: RecordedStore
    landing: Landing

    @cached_property
    def normalized_to(self) -> int:
        """The position of the next webhook that the normalizer will read."""
        with self._log() as log:
            return 0 if log is None else log.progress("normalizer", WEBHOOKS.name)

    @cached_property
    def recorded_to(self) -> int:
        """That of the first webhook whose event the worker has not read."""
        normalized_to = self.normalized_to  # asked first: events that come later are not counted
        read_to = self.store.progress(EVENTS.name)
        with self._log() as log:
            if log is None:
                return 0
            # At least one read: another log than the one that was read before refuses it.
            end = max(log.end(EVENTS.name), read_to + 1)
            unread = map(_became, _records(log, EVENTS.name, read_to, end))
            positions = (each.webhook_position for each in unread if each is not None)
            return min(normalized_to, next(positions, normalized_to))

    def accepted(self, days: Sequence[dt.date]) -> pa.Table:
        """The webhooks of days that the normalizer has read."""
        return spine_table(
            of_webhook(day, record.position, _hash_of(webhook_of(record)))
            for day in days
            for record in self._webhooks(day, self.normalized_to)
        )

    def became(self, topic: str, days: Sequence[dt.date]) -> pa.Table:
        """What the normalizer made of the webhooks of days, in one of its topics.

        A replay makes the same once more. What was redriven as an event counts as that, and no
        longer as a dead letter.
        """
        surer = _MADE[: _MADE.index(topic)]
        found = {each.webhook_position: each for each in self._of_days(topic, days)}
        for other in surer if found else ():
            for each in self._of_days(other, days):
                found.pop(each.webhook_position, None)
        return spine_table(
            of_webhook(each.book_date, each.webhook_position, each.body_sha256)
            for each in found.values()
            if each.webhook_position < self.normalized_to
        )

    def normalized(self, days: Sequence[dt.date]) -> pa.Table:
        """The events of days that the worker has read, with their money."""
        found = {each.webhook_position: each for each in self._of_days(EVENTS.name, days)}
        return spine_table(
            _of_event(each) for each in found.values() if each.webhook_position < self.recorded_to
        )

    def delivered(self, outcome: str, days: Sequence[dt.date]) -> pa.Table:
        """The events of days of which the worker says that this became of them."""
        return spine_table(
            _of_event(_Became(**{name: row[name] for name in _Became.__struct_fields__}))
            for row in self.store.deliveries(days)
            if row["outcome"] == outcome and row["webhook_position"] < self.recorded_to
        )

    def archived(self, days: Sequence[dt.date]) -> pa.Table:
        """The webhooks of days that the archive in landing holds."""
        return spine_table(
            of_webhook(day, each.position, _hash_of(each.webhook))
            for day in days
            for each in archived(self.landing, day)
        )

    def to_be_archived(self, days: Sequence[dt.date]) -> pa.Table:
        """The webhooks of days in the log, as far as the archive has come with each day.

        What it has passed must be there: its objects alone would not tell of one that is missing.
        """
        return spine_table(
            of_webhook(day, record.position, _hash_of(webhook_of(record)))
            for day in days
            for record in self._webhooks(day, max(self._archive_passed, self.archived_to(day)))
        )

    @cached_property
    def _archive_passed(self) -> int:
        """The position of the first webhook that no whole block of the archive holds."""
        with self._log() as log:
            return 0 if log is None else log.progress(CONSUMER, WEBHOOKS.name)

    def archived_to(self, day: dt.date) -> int:
        """The position of the first webhook of a day that the archive does not hold yet."""
        objects = archived_objects(self.landing, day)
        return objects[-1].version + objects[-1].records if objects else 0

    def kept(self, topics: Sequence[str], days: Sequence[dt.date]) -> list[dt.date]:
        """Those of the days of which the log has not forgotten a record of the topics."""
        with self._log() as log:
            if log is None:
                return list(days)
            return [day for day in days if all(_is_kept(log, topic, day) for topic in topics)]

    def reached(
        self, read_to: Callable[[dt.date], int], done: str, days: Sequence[dt.date]
    ) -> dict[dt.date, Reached]:
        """How far a service is with the webhooks of each day.

        Args:
            read_to: up to which webhook it has come with a day.
            done: what it does with each.
            days: which days.
        """
        today = dt.datetime.now(dt.UTC).date()
        found = {}
        with self._log() as log:
            for day in days:
                first, end = (0, 0) if log is None else log.positions_of(WEBHOOKS.name, day)
                come_to = min(end, max(first, read_to(day)))
                waiting = ""
                if come_to < end and day < today:  # a day that goes on may wait
                    waiting = f"{end - come_to:,} of its webhooks are still to be {done}."
                found[day] = Reached(f"{first} {come_to}", waiting)
        return found

    def _webhooks(self, day: dt.date, read_to: int) -> Iterator[Record]:
        """The webhooks that the log took on a day, before a position."""
        with self._log() as log:
            if log is not None:
                first, end = log.positions_of(WEBHOOKS.name, day)
                yield from _records(log, WEBHOOKS.name, first, min(end, read_to))

    def _of_days(self, topic: str, days: Sequence[dt.date]) -> Iterator[_Became]:
        """What a topic holds of the webhooks of days.

        Nothing is written of a webhook before the log took it. Afterwards it may take any time.
        A record that can't be read says nothing of any webhook: that one is missing then.
        """
        with self._log() as log:
            if log is None or not days:
                return
            wanted = {*days}
            first, _ = log.positions_of(topic, min(days))
            for record in _records(log, topic, first, log.end(topic)):
                each = _became(record)
                if each is not None and each.book_date in wanted:
                    yield each

    @contextmanager
    def _log(self) -> Iterator[Log | None]:
        """The log, or None where there is none yet: no service ever ran.

        Raises:
            StoreError: it can't be read.
        """
        if not Path(self.place.url.removeprefix("sqlite:///")).exists():
            yield None
            return
        try:
            log = open_payment_log(self.place)
            try:
                yield log
            finally:
                log.close()
        except LogError as error:
            raise StoreError(error.message) from error


def _records(log: Log, topic: str, first: int, end: int) -> Iterator[Record]:
    at = first
    while at < end:
        records = log.read(topic, at, min(_READ_AT_ONCE, end - at))
        if not records:
            return
        yield from (record for record in records if record.position < end)
        at = records[-1].position + 1


def _became(record: Record) -> _Became | None:
    try:
        return _BECAME.decode(record.value)
    except (msgspec.DecodeError, RecursionError):
        return None


def _hash_of(webhook: StoredWebhook | None) -> str:
    """That of the body; "" for a record that holds no webhook, as its dead letter has it."""
    return "" if webhook is None else webhook.body_sha256


def _is_kept(log: Log, topic: str, day: dt.date) -> bool:
    first, _ = log.positions_of(topic, day)
    if first == log.end(topic):
        return True
    try:
        log.read(topic, first, 1)
    except LogError as error:
        if error.code == "aged_out":
            return False
        raise
    return True


def of_webhook(day: dt.date, position: int, body_sha256: str) -> Row:
    """The spine row of a webhook."""
    key = f"webhook|{position}"
    return day, _md5(f"{key}|{body_sha256}"), key, 0, NO_CURRENCY


def _of_event(each: _Became) -> Row:
    key = f"event|{each.webhook_position}|{each.event_id}"
    record_id = _md5(f"{key}|{each.body_sha256}")
    if each.amount_minor is None:
        return each.book_date, record_id, key, 0, NO_CURRENCY
    return each.book_date, record_id, key, each.amount_minor, each.currency or NO_CURRENCY


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def spine_table(rows: Iterable[Row]) -> pa.Table:
    """Spine rows as `SPINE_SCHEMA`."""
    columns = list(zip(*rows, strict=True)) or [()] * len(SPINE_SCHEMA)
    arrays = [pa.array(c, field.type) for c, field in zip(columns, SPINE_SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SPINE_SCHEMA)


def streams(settings: Settings) -> tuple[StreamHop, ...]:
    """The hops before bronze, in their order."""
    landing = Landing.from_url(settings.landing_url)
    of = Streams(log_place(settings), RecordedStore(settings.payments_database_url), landing)
    raw = Hop(
        "webhooks → raw",
        (Leg(Side.IN, RowsSpine(of.to_be_archived)), Leg(Side.OUT, RowsSpine(of.archived))),
        certified=False,
        kept=partial(of.kept, [WEBHOOKS.name]),
    )
    normalized = Hop(
        "webhooks → events",
        (
            Leg(Side.IN, RowsSpine(of.accepted)),
            *(Leg(s, RowsSpine(partial(of.became, t))) for t, s in zip(_MADE, _SIDES, strict=True)),
        ),
        certified=False,
        kept=partial(of.kept, [WEBHOOKS.name, *_MADE]),
    )
    recorded = Hop(
        "events → store",
        (
            Leg(Side.IN, RowsSpine(of.normalized)),
            *(Leg(side, RowsSpine(partial(of.delivered, o))) for o, side in _OUTCOMES.items()),
        ),
        certified=False,
        kept=partial(of.kept, [WEBHOOKS.name, EVENTS.name]),
    )
    return (
        StreamHop(raw, partial(of.reached, of.archived_to, "archived")),
        StreamHop(normalized, partial(of.reached, lambda _: of.normalized_to, "normalized")),
        StreamHop(recorded, partial(of.reached, lambda _: of.recorded_to, "recorded")),
    )
