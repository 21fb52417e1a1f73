"""Faults of single records: seeded, and on the text that is sent.

A fault takes the records of a day as JSON texts, in the order in which they are sent, and returns
them as they come with the fault. At least one record is hit. The framing of the answer stays whole.
A source puts its own faults together from what is here: a fault is a share of the records and what
is done to each, a change is a function from text to text.
"""

import datetime as dt
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearhouse.sandbox.rng import Rng, SharedEntity, sample, stream

Record = dict[str, Any]
Change = Callable[[bytes], bytes]

DUPLICATED_SHARE = 0.02
CORRECTED_SHARE = 0.01
NEW_FIELD_SHARE = 0.03
BROKEN_SHARE = 0.004  # of each kind: a day with one or two of them keeps within 1 % broken
FAULTS_PER_DAY = 64  # room in the numbering of the random streams


@dataclass(frozen=True)
class SentDay:
    """A day as it is being sent.

    Attributes:
        seed: what its records and faults are drawn with.
        server_seed: the server's own, whatever a request asks for: a late record is the same one
            in every answer that brings it.
    """

    day: dt.date
    seed: int
    server_seed: int
    texts: list[bytes]


RecordFault = Callable[[SentDay, Rng], list[bytes]]


def apply(faults: Mapping[str, RecordFault], kinds: Collection[str], day: SentDay) -> list[bytes]:
    """The records of a day as they come with the named faults; other names are ignored.

    The faults are applied in their own order, whatever the order of the names: what adds records or
    rewrites their text stands before what breaks it. The position of a fault numbers its draws.
    """
    for index, (kind, fault) in enumerate(faults.items()):
        if kind in kinds and day.texts:
            number = day.day.toordinal() * FAULTS_PER_DAY + index
            rng = stream(day.seed, SharedEntity.RECORD_FAULT, number)
            day = replace(day, texts=fault(day, rng))
    return day.texts


# --- faults ---------------------------------------------------------------------------------------


def duplicates(day: SentDay, rng: Rng) -> list[bytes]:
    """2 % of the records come twice: every second one at once, the others at the end."""
    again = _hits(day, DUPLICATED_SHARE, rng)
    at_once, at_the_end = set(again[::2]), again[1::2]
    sent = [text for at, text in enumerate(day.texts) for _ in range(1 + (at in at_once))]
    return sent + [day.texts[at] for at in at_the_end]


def late(records_of: Callable[[int, dt.date], list[bytes]], *, days_before: int) -> RecordFault:
    """Records of an earlier day come at the end; `records_of` makes them of seed and day."""

    def fault(day: SentDay, _rng: Rng) -> list[bytes]:
        return day.texts + records_of(day.server_seed, day.day - dt.timedelta(days=days_before))

    return fault


def sent_again(share: float, change: Change) -> RecordFault:
    """A share of the records come again at the end, changed."""

    def fault(day: SentDay, rng: Rng) -> list[bytes]:
        return day.texts + [change(day.texts[at]) for at in _hits(day, share, rng)]

    return fault


def changed(share: float, changes: Sequence[Change]) -> RecordFault:
    """A share of the records are changed, by one change after the other."""

    def fault(day: SentDay, rng: Rng) -> list[bytes]:
        texts = list(day.texts)
        first = int(rng.integers(len(changes)))
        for turn, at in enumerate(_hits(day, share, rng), start=first):
            texts[at] = changes[turn % len(changes)](texts[at])
        return texts

    return fault


def _hits(day: SentDay, share: float, rng: Rng) -> list[int]:
    hits: list[int] = np.flatnonzero(sample(len(day.texts), share, rng)).tolist()
    return hits


# --- changes --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class JsonText:
    """How a source writes its JSON records, and changes of records so written.

    A change leaves a text alone that an earlier fault has changed beyond reading.

    Attributes:
        is_intact: whether a record can still be changed.
        separators, sort_keys: as `json.dumps` takes them.
    """

    is_intact: Callable[[Record], bool] = lambda _record: True
    separators: tuple[str, str] = (", ", ": ")
    sort_keys: bool = False

    def write(self, value: object) -> bytes:
        """A value as the source writes it."""
        text = json.dumps(value, separators=self.separators, sort_keys=self.sort_keys)
        return text.encode()

    def record(self, change: Callable[[Record], Record]) -> Change:
        """A change of the record."""
        return self._where_intact(lambda record, _text: self.write(change(record)))

    def text(self, change: Change) -> Change:
        """A change of the text, which may leave no record."""
        return self._where_intact(lambda _record, text: change(text))

    def having(self, **values: object) -> Change:
        """These values, in fields that are there or not."""
        return self.record(lambda record: {**record, **values})

    def lacking(self, name: str) -> Change:
        """A field is absent."""
        return self.record(lambda record: {k: v for k, v in record.items() if k != name})

    def renamed(self, old: str, new: str) -> Change:
        """A field comes under another name, at its place."""
        return self.record(lambda r: {new if key == old else key: r[key] for key in r})

    def rewritten(self, name: str, written: Callable[[str], str]) -> Change:
        """A value is written as no JSON writer of Python writes it."""

        def change(record: Record, text: bytes) -> bytes:
            item, colon = self.separators
            value = self.write(record[name]).decode()
            for end in (item, "}"):
                before, after = (
                    f'"{name}"{colon}{each}{end}'.encode() for each in (value, written(value))
                )
                if before in text:
                    return text.replace(before, after, 1)
            return text

        return self._where_intact(change)

    def _where_intact(self, change: Callable[[Record, bytes], bytes]) -> Change:
        def guarded(text: bytes) -> bytes:
            try:
                record = json.loads(text)
            except ValueError:
                return text
            is_record = isinstance(record, dict) and self.is_intact(record)
            return change(record, text) if is_record else text

        return guarded


def half(text: bytes) -> bytes:
    """The first half of a text."""
    return text[: len(text) // 2]


def breakages(json_text: JsonText) -> tuple[Change, ...]:
    """Texts that are not one JSON object, for any source."""
    return (
        json_text.text(half),
        json_text.text(lambda text: text + text),
        json_text.text(lambda text: text.replace(b'"', b"'")),
        json_text.text(lambda text: b"[" + text + b"]"),
        json_text.text(lambda _text: b"<html><body>502 Bad Gateway</body></html>"),
    )
