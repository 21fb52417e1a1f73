"""Normalizing archived webhooks again, by the code as it is now.

A webhook that no event was made of, and of which the code makes one now, is appended to
`payments.webhooks` again, as a redrive: it gets a new position and the book date of its replay, so
that the books of its own day stay as they are, and the event keeps its id. Its dead letter, where
it has one, is redriven by that; one that was discarded stays so. An event that is known is left
alone, whatever the code makes of its webhook now: its difference is named, and a correction is an
event of its own. So what was right changes nothing, and a repeated replay does nothing.

An event that the log has, and that no service will record any more, is appended to
`payments.redriven`: it is recorded as the delivery that it was.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import sqlalchemy as sa

from clearhouse.core.window import Window
from clearhouse.landing.store import Landing
from clearhouse.log.log import Log, Message, Reached
from clearhouse.log.reach import progress_of
from clearhouse.log.scan import records
from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import PaymentEvent, decode_event, encode_event, payment_key
from clearhouse.payments.letters import OPEN, KnownLetter, Letters, Wanted
from clearhouse.payments.lost import Unrecorded, unrecorded
from clearhouse.payments.normalizer.archive import Archive, Archived, archived
from clearhouse.payments.normalizer.fetching import Answers, FetchRecords
from clearhouse.payments.normalizer.letters import STAGE
from clearhouse.payments.normalizer.outcomes import GONE, said_by, webhook_of
from clearhouse.payments.problem import Problem
from clearhouse.payments.providers.stripe import is_thin
from clearhouse.payments.running import Running
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.refusals import conflict
from clearhouse.payments.store.tables import delivery, payment_event
from clearhouse.payments.topics import EVENTS, NORMALIZER, REDRIVEN, WEBHOOKS
from clearhouse.payments.webhook import StoredWebhook, encode_webhook

_AT_ONCE = 500
_OF_DELIVERY = frozenset({"webhook_position", "book_date", "received_at", "body_sha256", "version"})
"""What another delivery of the same event says otherwise."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A webhook of which the code makes an event now, and none is known."""

    position: int
    webhook: StoredWebhook = field(repr=False)
    event: PaymentEvent


@dataclass(frozen=True, slots=True)
class Difference:
    """A known event that the code would now make otherwise.

    Attributes:
        fields: that differ; none where its webhook would be no event any more.
    """

    event_id: str
    position: int
    fields: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """What a replay found.

    Attributes:
        webhooks: that were read from landing.
        unchanged: that are known events, as the code makes them now.
        without: that no event is made of, now as before.
        decided: that could be events now, and whose dead letters were discarded or redriven.
        lost: events that were made of webhooks, and that no service will record any more.
    """

    webhooks: int = 0
    unchanged: int = 0
    without: int = 0
    decided: int = 0
    new: list[NewEvent] = field(default_factory=list)
    differing: list[Difference] = field(default_factory=list)
    lost: list[PaymentEvent] = field(default_factory=list)


class Replay:
    """Compares archived webhooks with the events that are known, in the log and in the store.

    Args:
        log: holds webhooks and the latest events; an object that no normalizer uses.
        landing: holds the archive, and what was fetched.
        store: the operational store, with every event that was recorded, and what was decided of
            dead letters.
        running: asks a workflow server; None: the worker reads events from the log itself.
    """

    def __init__(
        self, log: Log, landing: Landing, store: PaymentStore, running: Running | None = None
    ) -> None:
        self._log = log
        self._landing = landing
        self._payments = store
        self._store = store.engine
        self._running = running
        self._fetches = FetchRecords(landing, _now)
        self._letters = Letters(log, store, _now)

    def compare(self, days: Window) -> Report:
        """Normalize the webhooks of days again; nothing is changed.

        What the log holds and landing does not yet is archived first.

        Raises:
            ClearhouseError: the log, landing or the store can't be read.
        """
        Archive(self._log, self._landing).flush()
        report = Report()
        read_to = progress_of(self._log, NORMALIZER, WEBHOOKS.name, made=[EVENTS.name])
        seen = self._waiting(read_to)
        of_log = unrecorded(self._log, self._payments, days.first, self._running)
        report.lost = [each for each in of_log.lost.values() if each.book_date in days]
        for day in days:
            fetched = self._fetches.of(day)
            of_day = (each for each in archived(self._landing, day) if each.position in read_to)
            for batch in _batches(of_day):
                self._compare(batch, fetched, of_log, seen, report)
        decided = {i for i, letter in self._letters_of(report.new).items() if letter.state != OPEN}
        report.decided = len(decided)
        report.new = [each for each in report.new if _letter_id(each) not in decided]
        return report

    def append(self, found: Sequence[NewEvent]) -> int:
        """Have the normalizer read the webhooks of new events again.

        Returns:
            How many. They are durable when this returns.

        Raises:
            LogError: they can't be appended; some may have been.
        """
        letters = self._letters_of(found)
        count = self._letters.redrive([each for each in letters.values() if each.state == OPEN])
        rest = [each for each in found if _letter_id(each) not in letters]
        for start in range(0, len(rest), _AT_ONCE):
            count += len(
                self._log.append([_redrive(each) for each in rest[start : start + _AT_ONCE]])
            )
        return count

    def record(self, lost: Sequence[PaymentEvent]) -> int:
        """Have events that were lost be recorded; how many.

        Raises:
            LogError: they can't be appended; some may have been.
        """
        messages = [
            Message(REDRIVEN.name, payment_key(each) or each.event_id, encode_event(each))
            for each in lost
        ]
        for start in range(0, len(messages), _AT_ONCE):
            self._log.append(messages[start : start + _AT_ONCE])
        return len(messages)

    def _letters_of(self, found: Sequence[NewEvent]) -> dict[str, KnownLetter]:
        """The dead letters of webhooks, by id."""
        if not found:
            return {}
        wanted = Wanted(stage=STAGE, ids=frozenset(map(_letter_id, found)))
        letters = self._letters.find(wanted, only_open=False)
        return {each.letter.letter_id: each for each in letters}

    def _compare(
        self,
        batch: Sequence[Archived],
        fetched: Mapping[int, Answers],
        of_log: Unrecorded,
        seen: set[str],
        report: Report,
    ) -> None:
        said = [(each, _said(each, fetched.get(each.position, ()))) for each in batch]
        ids = [event.event_id for _, event in said if isinstance(event, PaymentEvent)]
        waiting = of_log.waiting
        known = {**{i: waiting[i] for i in ids if i in waiting}, **self._of_store(ids)}
        of_positions = self._ids_at([each.position for each, _ in said])
        report.webhooks += len(batch)
        for each, now in said:
            if each.position in of_log.lost:
                continue
            if not isinstance(now, PaymentEvent) or each.webhook is None:
                _note_without(report, each, of_positions)
                continue
            if now.event_id not in known:
                if now.event_id not in seen:
                    report.new.append(NewEvent(each.position, each.webhook, now))
                seen.add(now.event_id)
                continue
            before = known[now.event_id]
            answers = fetched.get(each.position, ())
            if before is not None and (fields := _differing(before, each, now, answers)):
                report.differing.append(Difference(now.event_id, each.position, fields))
            else:
                report.unchanged += 1

    def _waiting(self, read_to: Reached) -> set[str]:
        """The events that the normalizer will still make, such as those of an earlier replay."""
        found: set[str] = set()
        for partition in range(self._log.partitions(WEBHOOKS.name)):
            for record in records(self._log, WEBHOOKS.name, read_to.of(partition)):
                webhook = webhook_of(record)
                day = record.appended_at.date()
                said = said_by(webhook, record.position, day, None) if webhook else None
                if isinstance(said, PaymentEvent):
                    found.add(said.event_id)
        return found

    def _of_store(self, ids: Sequence[str]) -> dict[str, PaymentEvent | None]:
        """Known events by id; None of those that the worker dead-lettered."""
        with self._store.connect() as connection:
            delivered: Sequence[str] = connection.scalars(
                sa.select(delivery.c.event_id).where(delivery.c.event_id.in_(ids))
            ).all()
            lines: Sequence[bytes] = connection.scalars(
                sa.select(payment_event.c.line).where(payment_event.c.event_id.in_(ids))
            ).all()
        recorded = {event.event_id: event for event in map(decode_event, lines)}
        return {**dict.fromkeys(delivered), **recorded}

    def _ids_at(self, positions: Sequence[int]) -> dict[int, str]:
        """The events that webhooks of some positions were recorded as."""
        with self._store.connect() as connection:
            rows = connection.execute(
                sa.select(payment_event.c.webhook_position, payment_event.c.event_id).where(
                    payment_event.c.webhook_position.in_(positions)
                )
            ).all()
        return {row.webhook_position: row.event_id for row in rows}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _said(each: Archived, answers: Answers) -> PaymentEvent | Unmapped | list[Problem] | None:
    """What the code makes of a webhook now, with the first of the answers that is an object."""
    if each.webhook is None:
        return None
    given = (answer for answer in answers if answer is not None)
    answer = next(given, GONE if answers else None)
    return said_by(each.webhook, each.position, each.book_date, answer)


def _note_without(report: Report, each: Archived, of_positions: Mapping[int, str]) -> None:
    event_id = of_positions.get(each.position)
    if event_id is None:
        report.without += 1
    else:
        report.differing.append(Difference(event_id, each.position, ()))


def _differing(
    before: PaymentEvent, each: Archived, now: PaymentEvent, answers: Answers
) -> tuple[str, ...]:
    """The fields in which a known event would be another now.

    A thin event is what its object was at one of the fetches; of another delivery of it, what the
    object had become by then is no difference.
    """
    if is_thin(before) and before.webhook_position != each.position:
        return () if conflict(now, before) is None else _other_fields(before, now)
    for number in range(1, len(answers)):
        other = _said(each, answers[number:])
        if isinstance(other, PaymentEvent) and not _other_fields(before, other):
            return ()
    return _other_fields(before, now)


def _other_fields(before: PaymentEvent, now: PaymentEvent) -> tuple[str, ...]:
    """The fields in which two events differ, beside those of a delivery."""
    return tuple(
        name
        for name in PaymentEvent.__struct_fields__
        if name not in _OF_DELIVERY and getattr(before, name) != getattr(now, name)
    )


def _letter_id(new: NewEvent) -> str:
    """What the dead letter of its webhook is called, where there is one."""
    return f"{STAGE}:{WEBHOOKS.name}:{new.position}"


def _redrive(new: NewEvent) -> Message:
    webhook = msgspec.structs.replace(
        new.webhook,
        redrive_of=_letter_id(new),
        attempt=new.webhook.attempt + 1,
    )
    key = payment_key(new.event) or new.event.event_id
    return Message(WEBHOOKS.name, key, encode_webhook(webhook))


def _batches(webhooks: Iterator[Archived]) -> Iterator[list[Archived]]:
    batch: list[Archived] = []
    for each in webhooks:
        batch.append(each)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
