"""A log on Kafka that was opened before the broker was killed."""

from collections.abc import Iterator

import pytest
from kafka_logs import new_place

from clearhouse.log.log import Message
from clearhouse.log.opening import Topic, open_log
from stack.commands import Stack, own_ports


@pytest.fixture
def kafka() -> Iterator[Stack]:
    stack = Stack("kafka", **own_ports())
    try:
        stack.up()
        yield stack
    finally:
        stack.remove()


def test_a_log_that_outlives_its_broker_is_asked_on(kafka: Stack) -> None:
    topics = [Topic("events")]
    log = open_log(new_place(kafka.settings["LOG_URL"], topics), topics)
    log.append([Message("events", "key", b"1")])
    ends = [log.end("events", partition) for partition in range(3)]

    for _ in range(3):  # each start has partitions led in a new epoch, which the log has to learn
        kafka.kill("kafka")
        kafka.up()
        assert [log.end("events", partition) for partition in range(3)] == ends
    log.close()
