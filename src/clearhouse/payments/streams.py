"""The hops of payments before bronze, which its services fill: webhooks → events → store, and raw.

A webhook is of the book date on which the log took it, and so is all that became of it, whenever
that was. Of a day that goes on, what counts is what the services have come to: a webhook that the
normalizer has not read yet is on neither side.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import pyarrow as pa

from clearhouse.books.hop import Hop, Leg
from clearhouse.books.model import Side
from clearhouse.books.rows_spine import RowsSpine
from clearhouse.landing import Landing
from clearhouse.log.log import Log, Reached, partition_of
from clearhouse.log.opening import LogPlace
from clearhouse.log.reach import progress_of
from clearhouse.payments import book_log
from clearhouse.payments.became import Became
from clearhouse.payments.log_opening import log_place
from clearhouse.payments.normalizer.archive import CONSUMER as ARCHIVE
from clearhouse.payments.normalizer.archive import archived, archived_objects
from clearhouse.payments.normalizer.outcomes import webhook_of
from clearhouse.payments.recorded import RecordedStore
from clearhouse.payments.stream_rows import (
    Row,
    hash_of,
    of_event,
    of_webhook,
    spine_table,
)
from clearhouse.payments.topics import (
    EVENTS,
    NORMALIZER,
    NORMALIZER_DEAD,
    UNMAPPED,
    WEBHOOKS,
    Topic,
)
from clearhouse.payments.unrecorded import STARTER, in_flight, unread
from clearhouse.pipeline.domain import StreamHop, StreamState
from clearhouse.settings import Settings

_OUTCOMES = {
    "recorded": Side.OUT,
    "duplicate": Side.DUPLICATE,
    "dead_letter": Side.REJECTED,
}
_MADE = (EVENTS, UNMAPPED, NORMALIZER_DEAD)
"""What the normalizer makes of a webhook, the surest first."""
_SIDES = (Side.OUT, Side.IGNORED, Side.REJECTED)


@dataclass(frozen=True)
class Streams:
    """What the log and the operational store hold of each book date, read beside the services.

    Where the services have come to is asked once: what they do meanwhile is on no side. All of it
    is by partition.

    Attributes:
        has_workflows: events are recorded by workflows of a server, and not by the worker.
    """

    place: LogPlace
    store: RecordedStore
    landing: Landing
    has_workflows: bool = False

    @cached_property
    def normalized_to(self) -> Reached:
        """The positions of the next webhooks that the normalizer will read.

        What it made of those before can be read.
        """
        with book_log.opened(self.place) as log:
            made = [topic.name for topic in _MADE]
            return progress_of(log, NORMALIZER, WEBHOOKS.name, made) if log else Reached()

    @cached_property
    def recorded_to(self) -> Reached:
        """Those of the first webhooks of whose events nothing is recorded yet."""
        normalized_to = self.normalized_to  # asked first: events that come later are not counted
        with book_log.opened(self.place) as log:
            if log is None:
                return Reached()
            partitions = range(log.partitions(WEBHOOKS.name))
            first = {each: normalized_to.of(each) for each in partitions}
            for position in self._unrecorded(log):
                partition = partition_of(position)
                first[partition] = min(first[partition], position)
            return Reached(first.values())

    def _unrecorded(self, log: Log) -> Iterator[int]:
        """Webhooks of whose events nothing is recorded yet, with the first of each partition."""
        if self.has_workflows:
            read_to = progress_of(log, STARTER, EVENTS.name)
            now = dt.datetime.now(dt.UTC)
            for partition in range(log.partitions(EVENTS.name)):
                yield from in_flight(log, read_to, partition, self.store.has_delivered, now)
        else:
            read_to = self.store.progress(EVENTS.name)
        for partition in range(log.partitions(EVENTS.name)):
            # They stand in the order of the webhooks of a partition.
            yield from _first_of_each(
                unread(log, read_to, partition), log.partitions(WEBHOOKS.name)
            )

    def accepted(self, days: Sequence[dt.date]) -> pa.Table:
        """The webhooks of days that the normalizer has read."""
        return spine_table(self._webhooks(days, self.normalized_to))

    def became(self, topic: Topic, days: Sequence[dt.date]) -> pa.Table:
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
            if each.webhook_position in self.normalized_to
        )

    def normalized(self, days: Sequence[dt.date]) -> pa.Table:
        """The events of days of which something is recorded, with their money."""
        found = {each.webhook_position: each for each in self._of_days(EVENTS, days)}
        return spine_table(
            of_event(each) for each in found.values() if each.webhook_position in self.recorded_to
        )

    def delivered(self, outcome: str, days: Sequence[dt.date]) -> pa.Table:
        """The events of days of which the store says that this became of them."""
        return spine_table(
            of_event(Became(**{name: row[name] for name in Became.__struct_fields__}))
            for row in self.store.deliveries(days)
            if row["outcome"] == outcome and row["webhook_position"] in self.recorded_to
        )

    def archived(self, days: Sequence[dt.date]) -> pa.Table:
        """The webhooks of days that the archive in landing holds."""
        return spine_table(
            of_webhook(day, each.position, hash_of(each.webhook))
            for day in days
            for each in archived(self.landing, day)
        )

    def to_be_archived(self, days: Sequence[dt.date]) -> pa.Table:
        """The webhooks of days, as far as the archive has come with each day.

        What it has passed must be there: its objects alone would not tell of one that is missing.
        Of a day that the log has forgotten, it is what became of webhooks that tells.
        """
        kept = self.kept([WEBHOOKS], days)
        forgotten = [day for day in days if day not in kept]
        with book_log.opened(self.place) as log:
            if log is None:
                return spine_table(())
            rows = [
                of_webhook(day, record.position, hash_of(webhook_of(record)))
                for day in kept
                for record in book_log.webhooks(log, [day], self._to_be_archived_to(log, day))
            ]
            return spine_table([*rows, *self._known(log, forgotten)])

    def _known(self, log: Log, days: Sequence[dt.date]) -> Iterator[Row]:
        """The webhooks of days that are archived, or of which it is known what they became."""
        if not days:
            return
        found = {
            each.position: (day, each.position, hash_of(each.webhook))
            for day in days
            for each in archived(self.landing, day)
        }
        for topic in (UNMAPPED, NORMALIZER_DEAD):
            for each in book_log.of_days(log, topic, days):
                place = each.webhook_position
                found[place] = each.book_date, place, each.body_sha256
        for row in self.store.deliveries(days):
            place = row["webhook_position"]
            found[place] = row["book_date"], place, row["body_sha256"]
        yield from (of_webhook(*each) for each in found.values())

    def _to_be_archived_to(self, log: Log, day: dt.date) -> Reached:
        archived_to = self.archived_to(day)
        return Reached(
            max(self._archive_passed.of(each), archived_to.of(each))
            for each in range(log.partitions(WEBHOOKS.name))
        )

    @cached_property
    def _archive_passed(self) -> Reached:
        """The positions of the first webhooks that no whole block of the archive holds."""
        with book_log.opened(self.place) as log:
            return progress_of(log, ARCHIVE, WEBHOOKS.name) if log else Reached()

    def archived_to(self, day: dt.date) -> Reached:
        """The positions of the first webhooks of a day that the archive does not hold yet."""
        objects = archived_objects(self.landing, day)
        return Reached({partition_of(o.version): o.version + o.records for o in objects}.values())

    def kept(self, topics: Sequence[Topic], days: Sequence[dt.date]) -> list[dt.date]:
        """Those of the days of which the log has not forgotten a record of the topics."""
        today = dt.datetime.now(dt.UTC).date()
        with book_log.opened(self.place) as log:
            if log is None:
                return list(days)
            return [
                day for day in days if all(book_log.is_kept(log, t, day, today) for t in topics)
            ]

    def reached(
        self, read_to: Callable[[dt.date], Reached], done: str, days: Sequence[dt.date]
    ) -> dict[dt.date, StreamState]:
        """How far a service is with the webhooks of each day that the log has not forgotten.

        Args:
            read_to: up to which webhooks it has come with a day.
            done: what it does with each.
            days: which days.
        """
        kept = self.kept([WEBHOOKS], days)
        with book_log.opened(self.place) as log:
            if log is None:
                return {day: StreamState(WEBHOOKS.name) for day in kept}
            return {day: _state(log, day, read_to(day), done) for day in kept}

    def _webhooks(self, days: Sequence[dt.date], read_to: Reached) -> Iterator[Row]:
        """The webhooks that the log took on days, as far as they have been read."""
        with book_log.opened(self.place) as log:
            for record in book_log.webhooks(log, days, read_to) if log else ():
                day = record.appended_at.date()
                yield of_webhook(day, record.position, hash_of(webhook_of(record)))

    def _of_days(self, topic: Topic, days: Sequence[dt.date]) -> Iterator[Became]:
        """What a topic holds of the webhooks of days."""
        with book_log.opened(self.place) as log:
            if log is not None:
                yield from book_log.of_days(log, topic, days)


def _state(log: Log, day: dt.date, read_to: Reached, done: str) -> StreamState:
    covered = book_log.covered(log, day, read_to)
    goes_on = day >= dt.datetime.now(dt.UTC).date()  # and may wait
    if goes_on or not covered.waiting:
        return StreamState(covered.ranges)
    return StreamState(
        covered.ranges, f"{covered.waiting:,} of its webhooks are still to be {done}."
    )


def _first_of_each(positions: Iterator[int], partitions: int) -> Iterator[int]:
    """The first position of each partition, so far as there is one."""
    seen: set[int] = set()
    for position in positions:
        if partition_of(position) not in seen:
            seen.add(partition_of(position))
            yield position
        if len(seen) == partitions:
            return


def streams(settings: Settings) -> tuple[StreamHop, ...]:
    """The hops before bronze, in their order."""
    landing = Landing.from_url(settings.landing_url)
    of = Streams(
        log_place(settings),
        RecordedStore(settings.payments_database_url),
        landing,
        settings.has_workflow_server,
    )
    raw = Hop(
        "webhooks → raw",
        (Leg(Side.IN, RowsSpine(of.to_be_archived)), Leg(Side.OUT, RowsSpine(of.archived))),
        certified=False,
    )
    normalized = Hop(
        "webhooks → events",
        (
            Leg(Side.IN, RowsSpine(of.accepted)),
            *(Leg(s, RowsSpine(partial(of.became, t))) for t, s in zip(_MADE, _SIDES, strict=True)),
        ),
        certified=False,
        kept=partial(of.kept, [WEBHOOKS, *_MADE]),
    )
    recorded = Hop(
        "events → store",
        (
            Leg(Side.IN, RowsSpine(of.normalized)),
            *(Leg(side, RowsSpine(partial(of.delivered, o))) for o, side in _OUTCOMES.items()),
        ),
        certified=False,
        kept=partial(of.kept, [WEBHOOKS, EVENTS]),
    )
    return (
        StreamHop(raw, partial(of.reached, of.archived_to, "archived")),
        StreamHop(normalized, partial(of.reached, lambda _: of.normalized_to, "normalized")),
        StreamHop(recorded, partial(of.reached, lambda _: of.recorded_to, "recorded")),
    )
