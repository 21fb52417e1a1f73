"""Messages as Kafka's clients give and take them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import confluent_kafka as ck

from clearhouse.log.kafka.moments import moment_of
from clearhouse.log.log import PARTITION_SPAN, LogError, Message, Record, check_sizes

_SECONDS_FOR_ROOM = 0.05
Delivered = Callable[[ck.KafkaError | None, ck.Message], None]


def position_of(partition: int, offset: int) -> int:
    """The position of an offset of a partition."""
    return partition * PARTITION_SPAN + offset


def place_of(position: int) -> tuple[int, int]:
    """The partition and the offset of a position."""
    return divmod(position, PARTITION_SPAN)


def delivered_position(message: ck.Message) -> int:
    """The position that a message was appended at, from its delivery report."""
    partition, offset = message.partition(), message.offset()
    assert partition is not None  # noqa: S101
    assert offset is not None  # noqa: S101  # both are known of what was delivered
    return position_of(partition, offset)


def check(messages: Sequence[Message], topics: Mapping[str, str]) -> None:
    """See that messages can be taken.

    Raises:
        LogError: one is of a topic that is not declared (unknown_topic), or too large.
    """
    for message in messages:
        name_of(message.topic, topics)
    check_sizes(messages)


def name_of(topic: str, topics: Mapping[str, str]) -> str:
    """The name on the server of a declared topic.

    Raises:
        LogError: it is not declared (unknown_topic).
    """
    name = topics.get(topic)
    if name is None:
        raise LogError(f"The log has no topic {topic}.", "unknown_topic")
    return name


def records_of(topic: str, messages: Iterable[ck.Message]) -> list[Record]:
    """Messages that were read, as records of a topic."""
    records, at, moment = [], -1, moment_of(0)
    for message in messages:
        milliseconds = message.timestamp()[1]
        if milliseconds != at:
            at, moment = milliseconds, moment_of(milliseconds)
        headers = message.headers()
        records.append(
            Record(
                topic,
                delivered_position(message),
                (message.key() or b"").decode(errors="replace"),
                message.value() or b"",
                moment,
                _read_headers(headers) if headers else (),
            )
        )
    return records


def produce(
    producer: ck.Producer, name: str, message: Message, on_delivery: Delivered | None = None
) -> None:
    """Hand a message to a producer, and wait while its queue is full."""
    while True:
        try:
            hand_over(producer, name, message, on_delivery)
        except BufferError:
            producer.poll(_SECONDS_FOR_ROOM)
        else:
            return


def hand_over(
    producer: ck.Producer, name: str, message: Message, on_delivery: Delivered | None
) -> None:
    """Hand a message to a producer.

    Raises:
        BufferError: its queue is full.
    """
    more: dict[str, Any] = {}
    if message.headers:
        more["headers"] = list(message.headers)
    if on_delivery is not None:
        more["on_delivery"] = on_delivery
    # Messages without a key have no order to keep: they are spread over all partitions.
    producer.produce(name, message.value, message.key or None, **more)


def call_back(client: Callable[[], int]) -> int:
    """Have a producer tell what was delivered.

    Args:
        client: its method that calls back.

    Returns:
        What the method returns.

    Raises:
        KafkaException: it can't go on, and is not to be used again.
    """
    try:
        return client()
    except SystemError as error:
        # confluent-kafka 2.16 goes on to call back while its own exception is pending.
        if not isinstance(error.__cause__, ck.KafkaException):
            raise
        raise error.__cause__ from None


def _read_headers(headers: Any) -> Sequence[tuple[str, str]]:
    return tuple((name, (value or b"").decode(errors="replace")) for name, value in headers)
