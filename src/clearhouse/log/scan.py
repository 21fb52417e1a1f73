"""Reading a topic whole, from the first record that the log still has."""

from bisect import bisect_left
from collections.abc import Iterator

from clearhouse.log.log import Log, LogError, Record

_AT_ONCE = 1_000


def first_kept(log: Log, topic: str) -> int:
    """The position of the first record that is not aged out; the end where all are."""
    if not _is_aged_out(log, topic, 0):
        return 0
    return bisect_left(range(log.end(topic)), True, key=lambda at: not _is_aged_out(log, topic, at))


def scan(log: Log, topic: str) -> Iterator[Record]:
    """Every record of a topic, in order. Those that come meanwhile are not waited for."""
    position = first_kept(log, topic)
    while records := log.read(topic, position, _AT_ONCE):
        yield from records
        position = records[-1].position + 1


def _is_aged_out(log: Log, topic: str, position: int) -> bool:
    try:
        log.read(topic, position, 1)
    except LogError as error:
        if error.code != "aged_out":
            raise
        return True
    return False
