"""How many dead letters are open, for who watches: by stage, code and provider."""

from collections import Counter
from collections.abc import Mapping

import msgspec
import sqlalchemy as sa

from clearhouse.log.log import Log, Record
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
    """The open letters of a log. Each is read once; what was decided of them is asked each time.

    Args:
        log: holds them.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._kinds: dict[str, Kind] = {}
        self._read_to: dict[str, dict[int, int]] = {}

    def count(self, store: sa.Connection) -> Mapping[Kind, int]:
        """How many there are now. A kind of which all letters are decided is stated with 0.

        Args:
            store: says what was decided of them.

        Raises:
            LogError: the log can't be read.
        """
        for stage, topic in DEAD_LETTERS.items():
            for record in self._new(topic.name):
                letter = _DECODER.decode(record.value)
                self._kinds[letter.letter_id] = (stage, letter.code, letter.provider)
        decided: set[str] = set(store.scalars(sa.select(letter_state.c.letter_id)))
        found: Counter[Kind] = Counter()
        for letter_id, kind in self._kinds.items():
            found[kind] += letter_id not in decided
        return found

    def _new(self, topic: str) -> list[Record]:
        """The letters of a topic that were written since it was read last."""
        partitions = range(self._log.partitions(topic))
        ends = {each: self._log.end(topic, each) for each in partitions}
        begin = self._read_to.get(topic) or {p: self._log.first(topic, p) for p in partitions}
        found = [each for p in partitions for each in records(self._log, topic, begin[p], ends[p])]
        self._read_to[topic] = ends
        return found
