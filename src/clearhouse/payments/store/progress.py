"""How far consumers have read whose effects are in the store: changed with these effects."""

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from clearhouse.core.sql_values import select_in
from clearhouse.log.log import PARTITION_SPAN, Progress, Reached, StaleProgress, partition_of
from clearhouse.payments.store.sql import add_missing
from clearhouse.payments.store.tables import consumer_progress, delivery, worker_letter

_columns = consumer_progress.c


def read_progress(connection: sa.Connection, consumer: str, topic: str) -> Reached:
    """Where a consumer reads on in each partition of a topic."""
    found = sa.select(_columns.position).where(
        _columns.consumer == consumer, _columns.topic == topic
    )
    return Reached(connection.scalars(found))


def begin(connection: sa.Connection, at: Collection[Progress]) -> None:
    """Note where a consumer begins in partitions that it has not read yet."""
    rows = [
        {
            "consumer": each.consumer,
            "topic": each.topic,
            "partition": partition_of(each.position),
            "position": each.position,
        }
        for each in at
    ]
    add_missing(connection, consumer_progress, rows)


def advance(connection: sa.Connection, to: Progress, began_at: int) -> None:
    """Note how far a consumer has read in a partition, with the effects of what it has read.

    Args:
        connection: in a transaction.
        to: the new place.
        began_at: where the consumer stood before.

    Raises:
        StaleProgress: it stands elsewhere.
    """
    partition = partition_of(began_at)
    row = {"consumer": to.consumer, "topic": to.topic, "partition": partition}
    if began_at == partition * PARTITION_SPAN:
        begin(connection, [Progress(to.consumer, to.topic, began_at)])
    changed = connection.execute(
        sa.update(consumer_progress)
        .where(*(_columns[name] == value for name, value in row.items()))
        .where(_columns.position == began_at)
        .values(position=to.position)
    )
    if changed.rowcount != 1:
        raise StaleProgress(
            f"Another process of {to.consumer} has read {to.topic} beyond {began_at}: its progress "
            "is to be asked for again."
        )


def delivered_of(connection: sa.Connection, webhook_positions: Collection[int]) -> set[int]:
    """Those of some webhooks of whose events it is recorded what became of them."""
    position = delivery.c.webhook_position
    rows = select_in(connection, sa.select(position), position, webhook_positions)
    return {row.webhook_position for row in rows}


def settled_of(connection: sa.Connection, webhooks: Mapping[str, int]) -> set[str]:
    """Those of some redriven events with which all is done, by the ids that their letters have.

    Args:
        connection: to the store.
        webhooks: by the id that a dead letter of the event gets, the position of its webhook.
    """
    position, own = delivery.c.webhook_position, worker_letter.c.letter_id
    read = sa.select(position).where(delivery.c.outcome != "dead_letter")
    ended = {
        row.webhook_position for row in select_in(connection, read, position, {*webhooks.values()})
    }
    again = {row.letter_id for row in select_in(connection, sa.select(own), own, {*webhooks})}
    return {each for each, webhook in webhooks.items() if each in again or webhook in ended}
