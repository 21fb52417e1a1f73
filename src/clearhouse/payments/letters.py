"""Dead letters of all stages: which are open, trying them again, and discarding them.

A letter stays in its topic as it was written; what was decided of it is in the operational store.
A letter that is tried again keeps its event id and its origin, and its attempts are counted:

- one of the gateway or the normalizer is a webhook, which goes to `payments.webhooks` again, with
  the letter's id and one attempt more. It is a delivery of its own, of the day of its redrive, and
  the books count it so: on its first day it is a dead letter still;
- one of the worker is an event, which goes to `payments.redriven`. When it succeeds, the row of its
  webhook in `delivery` turns from dead letter to recorded, so that the webhook counts once.

What is decided and what is to be tried again are written in one transaction of the store and leave
by its outbox, so that no crash tries a letter twice.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from clearhouse.core.errors import UsageError
from clearhouse.core.not_json import NOT_JSON
from clearhouse.core.sql_values import select_in
from clearhouse.log.log import Log, LogError, Message, Record
from clearhouse.log.scan import scan
from clearhouse.payments.dead_letter import DeadLetter
from clearhouse.payments.event import decode_event, encode_event, payment_key
from clearhouse.payments.journal import naive_utc
from clearhouse.payments.store import outbox
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.refusals import STAGE as WORKER
from clearhouse.payments.store.sql import add
from clearhouse.payments.store.tables import letter_state
from clearhouse.payments.topics import DEAD_LETTERS, REDRIVEN, WEBHOOKS
from clearhouse.payments.webhook import decode_webhook, encode_webhook

OPEN = "open"
REDRIVEN_STATE = "redriven"
DISCARDED = "discarded"
_AT_ONCE = 500

_DECODER = msgspec.json.Decoder(DeadLetter)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are meant; what is None is any.

    Attributes:
        first, last: UTC days of the latest attempt.
    """

    stage: str | None = None
    code: str | None = None
    provider: str | None = None
    first: dt.date | None = None
    last: dt.date | None = None
    ids: frozenset[str] = frozenset()

    def takes(self, letter: DeadLetter) -> bool:
        """Whether a letter is meant."""
        day = letter.last_at.astimezone(dt.UTC).date()
        return (
            self.code in (None, letter.code)
            and self.provider in (None, letter.provider.value)
            and (self.first is None or self.first <= day)
            and (self.last is None or day <= self.last)
            and (not self.ids or letter.letter_id in self.ids)
        )


@dataclass(frozen=True, slots=True)
class KnownLetter:
    """A letter, and what was decided of it: open, redriven or discarded, with the reason.

    Attributes:
        headers: of the letter's message; they carry its trace on.
    """

    letter: DeadLetter
    state: str = OPEN
    reason: str = ""
    headers: Sequence[tuple[str, str]] = ()


class Letters:
    """The dead letters in a log, with their states in a store.

    Args:
        log: holds them.
        store: holds what was decided.
        clock: the time in UTC.
    """

    def __init__(self, log: Log, store: PaymentStore, clock: Callable[[], dt.datetime]) -> None:
        self._log = log
        self._store = store
        self._clock = clock

    def find(self, wanted: Wanted, *, only_open: bool = True) -> list[KnownLetter]:
        """The letters that are meant, by stage, each in the order in which they were written.

        Raises:
            UsageError: there is no such stage.
            LogError: the log can't be read.
        """
        letters = list(self._letters(wanted))
        states = self._states([letter.letter_id for letter, _ in letters])
        found = [
            KnownLetter(letter, *states.get(letter.letter_id, (OPEN, "")), record.headers)
            for letter, record in letters
        ]
        return [each for each in found if each.state == OPEN or not only_open]

    def redrive(self, letters: Sequence[KnownLetter]) -> int:
        """Have letters tried again, those of them that are still open.

        Returns:
            How many are.

        Raises:
            UsageError: one holds nothing that can be tried again (not_redrivable). None is.
            LogError: the log can't be written; they are tried as soon as it can.
        """
        messages = [(each.letter, self._again(each)) for each in letters]
        outbox.number_on(self._store, self._log)
        count = self._decide(messages, REDRIVEN_STATE, "")
        while outbox.publish(self._store, self._log):
            pass
        return count

    def discard(self, letters: Sequence[KnownLetter], reason: str) -> int:
        """Have letters not be tried again, those of them that are still open; how many are."""
        return self._decide([(each.letter, None) for each in letters], DISCARDED, reason)

    def _letters(self, wanted: Wanted) -> Iterator[tuple[DeadLetter, Record]]:
        if wanted.stage is not None and wanted.stage not in DEAD_LETTERS:
            known = ", ".join(DEAD_LETTERS)
            raise UsageError(f"No stage is called {wanted.stage!r}: {known}.", "unknown_stage")
        for stage, topic in DEAD_LETTERS.items():
            if wanted.stage in (None, stage):
                for record in scan(self._log, topic.name):
                    letter = _DECODER.decode(record.value)
                    if wanted.takes(letter):
                        yield letter, record

    def _states(self, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        with self._store.reading() as connection:
            rows = select_in(connection, letter_state.select(), letter_state.c.letter_id, ids)
        return {row.letter_id: (row.state, row.reason) for row in rows}

    def _decide(
        self, letters: Sequence[tuple[DeadLetter, Message | None]], state: str, reason: str
    ) -> int:
        count = 0
        for start in range(0, len(letters), _AT_ONCE):
            some = {pair[0].letter_id: pair for pair in letters[start : start + _AT_ONCE]}
            with self._store.writing() as connection:
                outbox.hold(connection)
                rows = select_in(connection, letter_state.select(), letter_state.c.letter_id, some)
                for row in rows:
                    some.pop(row.letter_id)
                decided = {"state": state, "reason": reason, "changed_at": naive_utc(self._clock())}
                add(connection, letter_state, [{"letter_id": own, **decided} for own in some])
                outbox.leave(connection, [m for _, m in some.values() if m is not None])
            count += len(some)
        return count

    def _again(self, known: KnownLetter) -> Message:
        """The message by which a letter is tried again, in its trace."""
        letter = known.letter
        whole = bytes(letter.message)
        if whole == b"null" and letter.source_position is not None and not letter.body_base64:
            whole = self._source(letter)
        try:
            if letter.stage == WORKER:
                event = decode_event(whole)
                key = payment_key(event) or event.event_id
                return Message(REDRIVEN.name, key, encode_event(event), known.headers)
            webhook = decode_webhook(whole)
        except NOT_JSON:
            raise UsageError(
                f"{letter.letter_id} holds nothing that could be tried again: discard it.",
                "not_redrivable",
            ) from None
        again = msgspec.structs.replace(
            webhook, redrive_of=letter.letter_id, attempt=letter.attempt + 1
        )
        key = letter.event_id or letter.letter_id
        return Message(WEBHOOKS.name, key, encode_webhook(again), known.headers)

    def _source(self, letter: DeadLetter) -> bytes:
        """The message that a letter is about, where it was too large to be repeated in it."""
        try:
            records = self._log.read(letter.source_topic, letter.source_position or 0, 1)
        except LogError as error:
            if error.code != "aged_out":
                raise
            return b""
        return records[0].value if records else b""
