"""What the errors of a client of Kafka are told as."""

import time

import pytest
from confluent_kafka import KafkaError

from clearhouse.log.kafka.connection import Connection
from clearhouse.log.places import LogPlace


def test_silence_is_told_by_what_connections_suffer_from_now_and_not_by_what_is_long_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1_000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    kafka = Connection(LogPlace("kafka+ssl://broker:9093/log"))
    silence = KafkaError(KafkaError._TIMED_OUT)

    kafka.note(KafkaError(KafkaError._SSL))  # such as a handshake with a broker that is restarting
    now += 1
    assert kafka.told(silence).code == "log_untrusted"

    kafka.note(KafkaError(KafkaError._SSL))
    now += 3_600
    assert kafka.told(silence).code == "log_failed"
