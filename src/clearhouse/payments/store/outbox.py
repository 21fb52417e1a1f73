"""What the store has decided and the log is still to be told.

A message is written in the transaction of the effect that it tells of. Publishing appends it to the
log together with how far the outbox is published, so that a crash before it is deleted here repeats
nothing. Events that a batch has recorded are one row here, and are published from where they are
recorded.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from clearhouse.core import tracing
from clearhouse.log.log import Log, Message, Progress, StaleProgress
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.sql import Row, add
from clearhouse.payments.store.tables import outbox, payment_event
from clearhouse.payments.topics import OUTBOX, RECORDED

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


def leave_recorded(connection: sa.Connection, numbers: range) -> None:
    """Leave it to be published that events are recorded, by their numbers; none has headers."""
    if numbers:
        row = {**_row(Message(RECORDED.name, "", b"")), **_of_events(numbers[0], numbers[-1])}
        add(connection, outbox, [row])


def number_on(store: PaymentStore, log: Log) -> None:
    """Have the next messages be numbered behind those that the log has as published.

    They are in any store but a new one, and an older copy of one that was put back: whose messages
    would be taken for published, and deleted.

    Raises:
        LogError: the log can't be read.
    """
    published = log.progress(CONSUMER, OUTBOX)
    if not published:
        return
    with store.writing() as connection:
        hold(connection)
        if connection.dialect.name == "postgresql":
            _take_numbers(connection, published)
        else:
            connection.execute(_RAISED, {"last": published - 1})
            connection.execute(_BEGUN, {"last": published - 1})


def waiting(connection: sa.Connection) -> int:
    """How many messages are still to be published."""
    return connection.scalar(sa.select(sa.func.coalesce(sa.func.sum(_MESSAGES), 0))) or 0


def publish(store: PaymentStore, log: Log, limit: int = 2_000) -> int:
    """Append what is left in the outbox to the log: some of its rows, until so many messages.

    Each that carries a trace goes on in it, with a span for its publishing.

    Returns:
        How many are done with; 0 where nothing is left.

    Raises:
        LogError: the log can't be written. Nothing is lost: they stay.
    """
    published = log.progress(CONSUMER, OUTBOX)
    messages: list[Message] = []
    done, last = 0, None
    with store.reading() as connection:
        for row in connection.execute(_ROWS, {"most": limit}).all():
            if row.number >= published:
                messages += _messages(connection, row)
            done, last = done + row.messages, row.number
            if done >= limit:
                break
    if last is None:
        return 0
    if messages:
        try:
            _append(log, messages, last)
        except StaleProgress:  # another process has published them meanwhile
            return done
    # Lost with the machine, they are published by what the log says, and deleted again.
    with store.writing(may_be_lost=True) as connection:
        connection.execute(sa.delete(outbox).where(outbox.c.number <= last))
    return done


_MESSAGES = sa.func.coalesce(outbox.c.last_event - outbox.c.first_event + 1, 1)
_ROWS = (
    sa.select(outbox, _MESSAGES.label("messages"))
    .order_by(outbox.c.number)
    .limit(sa.bindparam("most"))
)
_RAISED = sa.text(
    "UPDATE sqlite_sequence SET seq = max(seq, :last) WHERE name = 'outbox'"  # of AUTOINCREMENT
)
_BEGUN = sa.text(
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox', :last "
    "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'outbox')"
)
_SEQUENCE = "nextval(pg_get_serial_sequence('outbox', 'number'))"
_KEY = sa.func.coalesce(payment_event.c.payment_key, payment_event.c.event_id)
_EVENTS: sa.Select[Any] = (
    sa.select(_KEY, payment_event.c.line)
    .where(payment_event.c.number.between(sa.bindparam("first_event"), sa.bindparam("last_event")))
    .order_by(payment_event.c.number)
)


def _take_numbers(connection: sa.Connection, before: int) -> None:
    """Take the numbers before one from a server's sequence; to set it, a worker has no right."""
    taken = connection.scalar(sa.text(f"SELECT {_SEQUENCE}")) or 0
    others = sa.func.generate_series(sa.cast(taken + 1, sa.BigInteger), before - 1)
    read = sa.select(sa.func.count(sa.text(_SEQUENCE))).select_from(others)
    connection.execute(read)


def _messages(connection: sa.Connection, row: Any) -> list[Message]:
    """The messages that a row stands for."""
    if row.first_event is None:
        headers = _PAIRS.decode(row.headers) if row.headers else ()
        return [Message(row.topic, row.message_key, row.value, headers)]
    events: Sequence[Any] = connection.execute(
        _EVENTS, _of_events(row.first_event, row.last_event)
    ).all()
    return [Message(row.topic, key, line) for key, line in events]


def _append(log: Log, messages: Sequence[Message], last: int) -> None:
    headers = [message.headers for message in messages]
    with tracing.handled("publish", headers, kind="producer") as carried:
        if carried is not headers:
            messages = list(map(Message.with_headers, messages, carried))
        log.append(messages, Progress(CONSUMER, OUTBOX, last + 1))


def _of_events(first: int | None = None, last: int | None = None) -> Row:
    return {"first_event": first, "last_event": last}


def _row(message: Message) -> Row:
    return {
        "topic": message.topic,
        "message_key": message.key,
        "value": message.value,
        "headers": msgspec.json.encode(message.headers).decode() if message.headers else None,
        **_of_events(),
    }
