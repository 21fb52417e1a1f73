"""The hops of payments before bronze, which its services fill: webhooks → events → store, and raw.

A webhook is of the book date on which the log took it, and so is all that became of it, whenever
that was. Of a day that goes on, what counts is what the services have come to: a webhook that the
normalizer has not read yet is on neither side.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import pyarrow as pa

from clearhouse.books.hop import Hop
from clearhouse.books.model import Side
from clearhouse.landing import LandedObject, Landing
from clearhouse.log.log import Log, Reached, partition_of
from clearhouse.log.opening import LogPlace
from clearhouse.log.reach import progress_of
from clearhouse.payments import book_log
from clearhouse.payments.became import Became
from clearhouse.payments.listed import listed_hop
from clearhouse.payments.log_opening import log_place
from clearhouse.payments.normalizer.archive import CONSUMER as ARCHIVE
from clearhouse.payments.normalizer.archive import archived_in, archived_objects
from clearhouse.payments.normalizer.outcomes import webhook_of
from clearhouse.payments.recorded import RecordedStore
from clearhouse.payments.running import Running, running_by
from clearhouse.payments.stream_rows import (
    event_rows,
    found_of,
    found_of_messages,
    hash_of,
    webhook_rows,
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
from clearhouse.payments.webhook import StoredWebhook
from clearhouse.pipeline.domain import StreamHop, StreamState
from clearhouse.pipeline.rows_spine import SidesOfRows, SidesRead
from clearhouse.settings import Settings

_OUTCOMES = {
    "recorded": Side.OUT,
    "duplicate": Side.DUPLICATE,
    "dead_letter": Side.REJECTED,
}
_MADE = {EVENTS: Side.OUT, UNMAPPED: Side.IGNORED, NORMALIZER_DEAD: Side.REJECTED}
"""What the normalizer makes of a webhook, the surest first."""
Row = tuple[int, dt.date, str]
"""Position, book date and hash of a webhook."""


@dataclass(frozen=True)
class Streams:
    """What the log and the operational store hold of each book date, read beside the services.

    Where the services have come to is asked once: what they do meanwhile is on no side. All of it
    is by partition.

    Attributes:
        running: those of some event ids whose runs on a workflow server go on; None: no workflows
            of a server record events, but the worker.
    """

    place: LogPlace
    store: RecordedStore
    landing: Landing
    running: Running | None = None

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
        if self.running:
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

    def recorded_to_of(self, days: Sequence[dt.date]) -> dict[dt.date, Reached]:
        """The same of the webhooks of each day. Runs of them that go on, go on however old they
        are: a server is asked for those of which nothing is recorded.
        """
        if new := [day for day in days if day not in self._recorded_to_of]:
            self._recorded_to_of.update(dict.fromkeys(new, self.recorded_to))
            for day, first in self._running_of(new) if self.running else ():
                before = {partition_of(each): each for each in self._recorded_to_of[day].positions}
                before[partition_of(first)] = min(first, before[partition_of(first)])
                self._recorded_to_of[day] = Reached(before.values())
        return {day: self._recorded_to_of[day] for day in days}

    @cached_property
    def _recorded_to_of(self) -> dict[dt.date, Reached]:
        return {}

    def _running_of(self, days: Sequence[dt.date]) -> Iterator[tuple[dt.date, int]]:
        """Days and positions of webhooks before `recorded_to` of whose events the runs go on."""
        read_to = self.recorded_to
        with book_log.opened(self.place) as log:
            made = {} if log is None else _by_webhook(log, EVENTS, days)
        passed = {place for place in made if place in read_to}
        missing = [made[place] for place in passed - self.store.has_delivered(passed)]
        ids = {each.event_id for each in missing if each.event_id is not None}
        running = self.running(ids) if self.running and ids else ()
        for each in missing:
            if each.event_id in running:
                yield each.book_date, each.webhook_position

    def archiving(self, days: Sequence[dt.date]) -> SidesRead:
        """The webhooks of days that are to be archived, and those that the archive holds.

        What the archive has passed must be there: its objects alone would not tell of one that is
        missing. Of a day that the log has forgotten, it is what became of webhooks that tells.
        """
        kept = {*self.kept([WEBHOOKS], days)}
        passed = self._archive_passed  # asked first: the objects that it speaks of are there
        wanted, held = [found_of(())], [found_of(())]
        with book_log.opened(self.place) as log:
            said = _said_of(log, [day for day in days if day not in kept]) if log else {}
            for day in days:
                objects = archived_objects(self.landing, day)
                archived = [_of_webhook(*each) for each in archived_in(self.landing, objects, day)]
                held.append(found_of(archived))
                if log is not None and day in kept:
                    wanted.append(_of_log(log, day, _furthest(log, passed, _end_of(objects))))
                elif log is not None:
                    known = [*archived, *said[day], *self._delivered(day)]  # the surest last
                    wanted.append(found_of({row[0]: row for row in known}.values()))
        return {
            Side.IN: webhook_rows(pa.concat_tables(wanted)),
            Side.OUT: webhook_rows(pa.concat_tables(held)),
        }

    def normalizing(self, days: Sequence[dt.date]) -> SidesRead:
        """The webhooks of days that the normalizer has read, and what it made of them.

        A replay makes the same once more. What was redriven as an event counts as that, and no
        longer as a dead letter.
        """
        read_to = self.normalized_to
        sides = {side: [found_of(())] for side in (Side.IN, *_MADE.values())}
        counted: set[int] = set()
        with book_log.opened(self.place) as log:
            if log is not None:
                sides[Side.IN] += [_of_log(log, day, read_to) for day in days]
                for topic, side in _MADE.items():
                    made = _by_webhook(log, topic, days)
                    new = {place for place in made.keys() - counted if place in read_to}
                    sides[side].append(found_of_messages(made[place] for place in new))
                    counted |= made.keys()
        return {side: webhook_rows(pa.concat_tables(found)) for side, found in sides.items()}

    def recording(self, days: Sequence[dt.date]) -> SidesRead:
        """The events of days of which something is recorded, and what the store says of them.

        Both with their money.
        """
        read_to = self.recorded_to_of(days)
        with book_log.opened(self.place) as log:
            made = {} if log is None else _by_webhook(log, EVENTS, days)
        events = (each for place, each in made.items() if place in read_to[each.book_date])
        sides = {Side.IN: found_of_messages(events)}
        told = self.store.deliveries(days)
        told = [row for row in told if row.webhook_position in read_to[row.book_date]]
        for outcome, side in _OUTCOMES.items():
            sides[side] = found_of(row[1:] for row in told if row.outcome == outcome)
        return {side: event_rows(found) for side, found in sides.items()}

    def _delivered(self, day: dt.date) -> Iterator[Row]:
        """The webhooks of a day of whose events it is recorded what became of them."""
        for row in self.store.deliveries([day]):
            yield row.webhook_position, row.book_date, row.body_sha256

    @cached_property
    def _archive_passed(self) -> Reached:
        """The positions of the first webhooks that no whole block of the archive holds."""
        with book_log.opened(self.place) as log:
            return progress_of(log, ARCHIVE, WEBHOOKS.name) if log else Reached()

    def archived_to_of(self, days: Sequence[dt.date]) -> dict[dt.date, Reached]:
        """The positions of the first webhooks of each day that the archive does not hold yet."""
        return {day: _end_of(archived_objects(self.landing, day)) for day in days}

    def normalized_to_of(self, days: Sequence[dt.date]) -> dict[dt.date, Reached]:
        """`normalized_to`, which is the same of each day."""
        return dict.fromkeys(days, self.normalized_to)

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
        self,
        read_to: Callable[[Sequence[dt.date]], Mapping[dt.date, Reached]],
        done: str,
        days: Sequence[dt.date],
    ) -> dict[dt.date, StreamState]:
        """How far a service is with the webhooks of each day that the log has not forgotten.

        Args:
            read_to: up to which webhooks it has come with each day.
            done: what it does with each.
            days: which days.
        """
        kept = self.kept([WEBHOOKS], days)
        come_to = read_to(kept)
        with book_log.opened(self.place) as log:
            if log is None:
                return {day: StreamState(WEBHOOKS.name) for day in kept}
            return {day: _state(log, day, come_to[day], done) for day in kept}


def _end_of(objects: Sequence[LandedObject]) -> Reached:
    """Where the last objects of the archive end, by partition."""
    return Reached({partition_of(o.version): o.version + o.records for o in objects}.values())


def _furthest(log: Log, one: Reached, other: Reached) -> Reached:
    """What either of two has reached."""
    partitions = range(log.partitions(WEBHOOKS.name))
    return Reached(max(one.of(each), other.of(each)) for each in partitions)


def _of_webhook(position: int, day: dt.date, webhook: StoredWebhook | None) -> Row:
    return position, day, hash_of(webhook)


def _of_log(log: Log, day: dt.date, read_to: Reached) -> pa.Table:
    """The webhooks that the log took on a day, as far as they have been read."""
    return found_of(
        _of_webhook(record.position, record.appended_at.date(), webhook_of(record))
        for record in book_log.webhooks(log, [day], read_to)
    )


def _by_webhook(log: Log, topic: Topic, days: Sequence[dt.date]) -> dict[int, Became]:
    """What a topic holds of the webhooks of days; of each, what it says last."""
    return {each.webhook_position: each for each in book_log.of_days(log, topic, days)}


def _said_of(log: Log, days: Sequence[dt.date]) -> dict[dt.date, list[Row]]:
    """The webhooks of days that the log says no event was made of."""
    found: dict[dt.date, list[Row]] = {day: [] for day in days}
    for topic in (UNMAPPED, NORMALIZER_DEAD):
        for each in book_log.of_days(log, topic, days):
            row = each.webhook_position, each.book_date, each.body_sha256
            found[each.book_date].append(row)
    return found


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
        running_by(settings),
    )
    raw = Hop(
        "webhooks → raw",
        SidesOfRows(of.archiving).legs([Side.IN, Side.OUT]),
        certified=False,
    )
    normalized = Hop(
        "webhooks → events",
        SidesOfRows(of.normalizing).legs([Side.IN, *_MADE.values()]),
        certified=False,
        kept=partial(of.kept, [WEBHOOKS, *_MADE]),
    )
    recorded = Hop(
        "events → store",
        SidesOfRows(of.recording).legs([Side.IN, *_OUTCOMES.values()]),
        certified=False,
        kept=partial(of.kept, [WEBHOOKS, EVENTS]),
    )
    return (
        listed_hop(landing),
        StreamHop(raw, partial(of.reached, of.archived_to_of, "archived")),
        StreamHop(normalized, partial(of.reached, of.normalized_to_of, "normalized")),
        StreamHop(recorded, partial(of.reached, of.recorded_to_of, "recorded")),
    )
