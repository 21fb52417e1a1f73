"""How many dead letters are open, for who watches: by stage, code and provider."""

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec
import sqlalchemy as sa

from clearhouse.core.sql_values import select_in
from clearhouse.log.log import Log, Record, partition_of
from clearhouse.log.scan import records
from clearhouse.payments.store.tables import letter_state
from clearhouse.payments.topics import DEAD_LETTERS

Kind = tuple[str, ...]
"""Stage, code and provider."""


class _Letter(msgspec.Struct):
    letter_id: str
    code: str
    provider: str


_DECODER = msgspec.json.Decoder(_Letter)


class OpenLetters:
    """The open letters of a log. Each is read once, and known until it is decided or forgotten.

    Args:
        log: holds them.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._open: dict[str, tuple[str, int, Kind]] = {}
        """By id: topic, position and kind."""
        self._kinds: set[Kind] = set()
        self._read_to: dict[str, dict[int, int]] = {}

    def count(self, store: sa.Connection) -> Mapping[Kind, int]:
        """How many there are now. A kind of which none is open any more is stated with 0.

        Args:
            store: says what was decided of them.

        Raises:
            LogError: the log can't be read.
        """
        for stage, topic in DEAD_LETTERS.items():
            for record in self._new(topic.name):
                letter = _DECODER.decode(record.value)
                kind = (stage, letter.code, letter.provider)
                self._kinds.add(kind)
                self._open[letter.letter_id] = (topic.name, record.position, kind)
            self._forget(topic.name)
        own = letter_state.c.letter_id
        for (letter_id,) in select_in(store, sa.select(own), own, list(self._open)):
            del self._open[letter_id]  # what is decided stays so
        found = Counter(dict.fromkeys(self._kinds, 0))
        found.update(kind for _, _, kind in self._open.values())
        return found

    def _new(self, topic: str) -> Iterator[Record]:
        """The letters of a topic that were written since it was read last."""
        partitions = range(self._log.partitions(topic))
        ends = {each: self._log.end(topic, each) for each in partitions}
        begin = self._read_to.get(topic) or {p: self._log.first(topic, p) for p in partitions}
        for partition in partitions:
            yield from records(self._log, topic, begin[partition], ends[partition])
        self._read_to[topic] = ends

    def _forget(self, topic: str) -> None:
        """Remove the letters of a topic that the log has aged out: nobody can redrive them."""
        first = [self._log.first(topic, each) for each in range(self._log.partitions(topic))]
        aged_out = [
            letter_id
            for letter_id, (of, position, _) in self._open.items()
            if of == topic and position < first[partition_of(position)]
        ]
        for letter_id in aged_out:
            del self._open[letter_id]
