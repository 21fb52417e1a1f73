"""What differs between the truth of a world and what was made of its webhooks.

- Rows of the store: missing, invented, or with another value in a column.
- Messages that are not mapped or dead: each one that has to be there is, and no other. A request
  that is sent again says the same again, so that more of the same is no difference.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from clearhouse.log.log import Log
from clearhouse.log.scan import scan
from clearhouse.payments.dead_letter import DeadLetter, Unmapped
from clearhouse.payments.store import tables
from clearhouse.payments.topics import GATEWAY_DEAD, NORMALIZER_DEAD, UNMAPPED, WORKER_DEAD
from clearhouse.sandbox.payments.output import Fate
from clearhouse.sandbox.payments.world import World

Row = Mapping[str, Any]

_TABLES = {
    "payment": tables.payment,
    "refund": tables.refund,
    "dispute": tables.dispute,
    "payout": tables.payout,
}
_KEYS = {name: f"{name}_key" for name in _TABLES}
_TOPICS = {
    UNMAPPED.name: (Fate.UNMAPPED, Unmapped),
    GATEWAY_DEAD.name: (Fate.DEAD_GATEWAY, DeadLetter),
    NORMALIZER_DEAD.name: (Fate.DEAD_NORMALIZER, DeadLetter),
    WORKER_DEAD.name: (None, DeadLetter),
}


def differences(world: World, engine: sa.Engine) -> list[str]:
    """What the store holds otherwise than it is true, a line each; none where all agrees.

    Args:
        world: all of whose deliveries were acknowledged and worked off.
        engine: of the operational store.
    """
    with engine.connect() as connection:
        return differences_in(connection, world)


def differences_in(connection: sa.Connection, world: World) -> list[str]:
    """The same in a transaction of the caller's."""
    found: list[str] = []
    for name, table in _TABLES.items():
        rows = connection.execute(sa.select(table)).mappings()
        found.extend(_compared(name, world.truth[name], [dict(row) for row in rows]))
    return found


def message_differences(world: World, log: Log) -> list[str]:
    """The same of messages that are not mapped, and dead letters of each stage."""
    found: list[str] = []
    for topic, (fate, kind) in _TOPICS.items():
        expected = _expected(world, fate)
        decoder = msgspec.json.Decoder(kind)
        there: Counter[str] = Counter()
        for record in scan(log, topic):
            message = decoder.decode(record.value)
            there[message.body_sha256] += 1
            if message.body_sha256 not in expected:
                found.append(f"{topic}: invented: {_told(message)}")
        found.extend(
            f"{topic}: {there[digest]} of {number} messages of the request {digest[:12]} ({labels})"
            for digest, (number, labels) in expected.items()
            if there[digest] < number
        )
    return found


def _compared(name: str, truth: Iterable[Row], there: Iterable[Row]) -> Iterator[str]:
    key = _KEYS[name]
    found = {row[key]: row for row in there}
    for expected in truth:
        row = found.pop(expected[key], None)
        if row is None:
            yield f"{name} {expected[key]}: missing"
            continue
        other = [
            f"{column} is {row[column]!r}, not {value!r}"
            for column, value in expected.items()
            if row[column] != value
        ]
        if other:
            yield f"{name} {expected[key]}: {'; '.join(other)}"
    yield from (f"{name} {each}: invented" for each in found)


def _expected(world: World, fate: Fate | None) -> dict[str, tuple[int, str]]:
    """How many messages a request has to leave, and their labels, by the hash of its body."""
    found: dict[str, tuple[int, str]] = {}
    for delivery in world.deliveries:
        of = [n for n in delivery.notices if world.notices[n].fate is fate]
        if of:
            labels = ", ".join(world.notices[n].label or "as usual" for n in of)
            found[hashlib.sha256(delivery.body).hexdigest()] = len(of), labels
    return found


def _told(message: DeadLetter | Unmapped) -> str:
    of = f"{message.provider} {message.event_id or ''} of request {message.body_sha256[:12]}"
    if isinstance(message, Unmapped):
        return f"{message.provider_type} ({message.why}) of {of}"
    return f"{message.code}: {message.reason} ({of})"
