"""What the store has decided and the log is still to be told.

A message is written in the transaction of the effect that it tells of. Publishing appends it to the
log together with how far the outbox is published, so that a crash before it is deleted here repeats
nothing.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from clearhouse.core import tracing
from clearhouse.log.log import Log, Message, Progress, StaleProgress
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.sql import Row, add
from clearhouse.payments.store.tables import outbox
from clearhouse.payments.topics import OUTBOX

CONSUMER = "outbox"
_NUMBERING = 0x6F7574626F78
"""Number of the lock under which a server numbers the rows: they are numbered as they commit."""
_PAIRS = msgspec.json.Decoder(tuple[tuple[str, str], ...])


def hold(connection: sa.Connection) -> None:
    """Be the only one to leave messages until the transaction ends, as it always is in SQLite."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_NUMBERING)))


def leave(connection: sa.Connection, messages: Sequence[Message]) -> None:
    """Leave messages to be published when the transaction has been committed."""
    if not messages:
        return
    hold(connection)
    add(connection, outbox, [_row(each) for each in messages])


def publish(store: PaymentStore, log: Log, limit: int = 2_000) -> int:
    """Append what is left in the outbox to the log, up to a number of messages.

    Each that carries a trace goes on in it, with a span for its publishing.

    Returns:
        How many are done with; 0 where nothing is left.

    Raises:
        LogError: the log can't be written. Nothing is lost: they stay.
    """
    with store.reading() as connection:
        rows = connection.execute(sa.select(outbox).order_by(outbox.c.number).limit(limit)).all()
    if not rows:
        return 0
    published = log.progress(CONSUMER, OUTBOX)
    left = [row for row in rows if row.number >= published]
    if left:
        try:
            _append(log, left)
        except StaleProgress:  # another process has published them meanwhile
            return len(rows)
    # Lost with the machine, they are published by what the log says, and deleted again.
    with store.writing(may_be_lost=True) as connection:
        connection.execute(sa.delete(outbox).where(outbox.c.number <= rows[-1].number))
    return len(rows)


def _append(log: Log, rows: Sequence[sa.Row[Any]]) -> None:
    headers = [_PAIRS.decode(row.headers) if row.headers else () for row in rows]
    with tracing.handled("publish", headers, kind="producer") as carried:
        messages = [
            Message(row.topic, row.message_key, row.value, own)
            for row, own in zip(rows, carried, strict=True)
        ]
        log.append(messages, Progress(CONSUMER, OUTBOX, rows[-1].number + 1))


def _row(message: Message) -> Row:
    return {
        "topic": message.topic,
        "message_key": message.key,
        "value": message.value,
        "headers": msgspec.json.encode(message.headers).decode() if message.headers else None,
    }
