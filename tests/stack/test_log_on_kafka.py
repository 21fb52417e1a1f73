"""The log on a real Kafka: the contract of every log, and what only a server does."""

import asyncio
import datetime as dt
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka_logs import PARTITIONS, new_place
from log_contract import (
    PATIENCE_SECONDS,
    TOPICS,
    LogContract,
    code_of,
    handled,
    seen,
    some,
    values,
    whole,
)

from clearhouse.log.kafka import reader, transactions
from clearhouse.log.log import PARTITION_SPAN, LogError, Message, Progress, StaleProgress
from clearhouse.log.opening import LogPlace, Topic, open_log
from clearhouse.log.preparing import prepare_log
from clearhouse.payments.lag import lag_of

DOWN_SECONDS = 30
"""Within which an outage is told; the clients' own limits are some seconds."""


@pytest.fixture
def place(stack):
    return new_place(stack.settings["LOG_URL"], TOPICS)


@pytest.fixture
def opened(place):
    logs = []

    def open_it():
        logs.append(open_log(place, TOPICS))
        return logs[-1]

    yield open_it
    for log in logs:
        log.close()


class TestKafka(LogContract):
    pass


def test_a_read_is_bounded_however_far_its_client_has_fetched_ahead(opened, monkeypatch):
    class Late(Consumer):
        def consume(self, *args):
            time.sleep(0.5)  # in which more is fetched
            return super().consume(*args)

    monkeypatch.setattr(reader, "Consumer", Late)
    log = opened()
    positions = [log.append([Message("a", "k", bytes(4 << 20))])[0] for _ in range(12)]
    found = log.read("a", positions[0])
    assert 0 < sum(len(each.value) for each in found) <= 32 << 20
    assert log.read("a", positions[len(found)], 1)[0].position == positions[len(found)]


def test_topics_are_made_once_as_they_are_declared_and_differences_are_told(stack):
    place = new_place(stack.settings["LOG_URL"])
    with pytest.raises(LogError, match=r"clearhouse payments prepare") as caught:
        open_log(place, TOPICS)
    assert caught.value.code == "log_not_prepared"

    made, again = prepare_log(place, TOPICS), prepare_log(place, TOPICS)
    assert [(p.is_new, p.partitions) for p in made] == [
        (True, PARTITIONS),
        (True, PARTITIONS),
        (True, 1),
    ]
    assert [(p.name, p.is_new, p.differences) for p in again] == [(p.name, False, ()) for p in made]
    other = LogPlace(place.url, partitions=PARTITIONS + 1)
    differing = prepare_log(other, [Topic("a"), Topic("b", 8)])
    assert [len(p.differences) for p in differing] == [1, 2]
    assert "691200000" in differing[1].differences[0]


def test_logs_of_two_prefixes_on_one_server_know_nothing_of_each_other(stack, opened):
    log = opened()
    other_place = new_place(stack.settings["LOG_URL"], TOPICS)
    other = open_log(other_place, TOPICS)
    log.append(some("a", "mine"), Progress("c", "a", 3))
    assert (whole(other, "a"), other.progress("c", "a")) == ([], 0)
    assert other.identity != log.identity
    subscriptions = [each.subscribe("d", "a") for each in (log, other)]
    other.append(some("a", "its own"))
    assert values(handled(subscriptions[1], 1)) == ["its own"]
    assert values(handled(subscriptions[0], 1)) == ["mine"]
    for each in subscriptions:
        each.close()
    other.close()


def test_what_a_killed_process_had_not_committed_is_seen_by_nobody_and_done_again(place, opened):
    log = opened()
    sent = [Message("a", f"key {n}", b"%d" % n) for n in range(20)]
    log.append(sent)
    stuck = [sys.executable, str(Path(__file__).with_name("stuck_copier.py")), place.url]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(stuck, env=environment, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "appended\n"
        finally:
            child.kill()
    assert whole(log, "b") == []
    log.append(later := [Message("b", f"key {n}", b"later") for n in range(20)])
    assert sum(log.waiting("b", p * PARTITION_SPAN) for p in range(PARTITIONS)) >= len(later)
    behind = lag_of(log, "b", lambda partition: partition * PARTITION_SPAN)
    assert sum(each.waiting for each in behind) >= len(later)
    # Its progress is asked for as well while it may still be moved.
    assert [log.progress("c", "a", p) for p in range(PARTITIONS)] == [
        p * PARTITION_SPAN for p in range(PARTITIONS)
    ]
    log.settle(["b"])
    assert values(whole(log, "b")) == ["later"] * len(later)

    subscription = log.subscribe("c", "a")
    done = handled(subscription, len(sent))
    subscription.close()
    assert sorted(r.value for r in done) == sorted(m.value for m in sent)
    log.settle(["b"])
    assert sorted(r.value for r in whole(log, "b")) == sorted(m.value for m in [*sent, *later])


def test_partitions_that_go_while_a_transaction_is_under_way_are_handled_once(opened, monkeypatch):
    is_begun, may_go_on = threading.Event(), threading.Event()

    class Held(transactions.Producer):
        def begin_transaction(self):
            is_begun.set()
            assert may_go_on.wait(PATIENCE_SECONDS)
            super().begin_transaction()

    def copies(records):
        return [Message("b", record.key, record.value) for record in records]

    log, total = opened(), 60
    log.append([Message("a", f"key {n}", b"%d" % n) for n in range(total)])
    first, second = log.subscribe("c", "a"), opened().subscribe("c", "a")
    monkeypatch.setattr(transactions, "Producer", Held)
    assert seen(lambda: len(first.read(total)), total) == total
    records = first.read(total)[:-5]
    first.begin_commit(records, copies(records))
    assert is_begun.wait(PATIENCE_SECONDS)
    monkeypatch.undo()

    taken, give_up_at = (), time.monotonic() + PATIENCE_SECONDS
    while not taken:  # the second joins, which the first takes part in
        assert time.monotonic() < give_up_at
        first.read(total)
        taken = second.read(total)
    second.commit(taken, copies(taken))
    may_go_on.set()
    with pytest.raises(StaleProgress):
        first.end_commit()

    left = handled(first, total - len(taken), answer=lambda record: copies([record]))
    assert sorted(int(r.value) for r in (*taken, *left)) == list(range(total))
    first.close()
    second.close()
    log.settle(["b"])
    assert sorted(int(r.value) for r in whole(log, "b")) == list(range(total))


def test_a_commit_that_comes_while_another_takes_its_place_is_stale(opened, monkeypatch):
    log, other = opened(), opened()

    class Overtaken(transactions.Producer):
        def commit_transaction(self, timeout=-1):  # what Kafka 4.3 answers, in a window of some ms
            monkeypatch.undo()
            other.append(some("a", "theirs"), Progress("c", "b", 1))
            answer = KafkaError(KafkaError.UNKNOWN, "", False, False, True)
            raise KafkaException(answer)

    assert log.progress("c", "b") == other.progress("c", "b") == 0
    monkeypatch.setattr(transactions, "Producer", Overtaken)
    with pytest.raises(StaleProgress):
        log.append(some("a", "ours"), Progress("c", "b", 1))

    assert log.progress("c", "b") == 1
    log.append(some("a", "next"), Progress("c", "b", 2))
    assert sorted(r.value for r in whole(log, "a")) == [b"next", b"theirs"]


def test_an_outage_is_told_within_seconds_and_ended_by_itself(stack, opened):
    log = opened()
    log.append(some("a", "before"), Progress("c", "b", 1))
    subscription = log.subscribe("d", "a")
    assert values(handled(subscription, 1)) == ["before"]
    stack.kill("kafka")
    try:
        for call, *arguments in (
            (log.append, some("a", "lost")),
            (log.append, some("a", "lost"), Progress("c", "b", 2)),
            (log.end, "a"),
            (_append_by_a_task, log),
        ):
            began = time.monotonic()
            assert code_of(call, *arguments) == "log_failed"
            assert time.monotonic() - began < DOWN_SECONDS
        assert code_of(_read_until_told, subscription) == "log_failed"
    finally:
        stack.up()
    _when_up(lambda: log.progress("c", "b"))
    _when_up(lambda: log.append(some("a", "after"), Progress("c", "b", 2)))
    assert log.progress("c", "b") == 2
    assert _when_up(lambda: handled(subscription, 1))[0].value == b"after"
    _when_up(lambda: _append_by_a_task(log))
    subscription.close()


def _read_until_told(subscription):
    give_up_at = time.monotonic() + DOWN_SECONDS
    while time.monotonic() < give_up_at:
        subscription.read(5)


def _append_by_a_task(log):
    async def act():
        appender = log.appender()
        try:
            await appender.append(some("a", "by a task"))
        finally:
            await appender.close()

    asyncio.run(act())


def _when_up(call):
    """What a call gives as soon as it no longer tells of the outage."""
    give_up_at = time.monotonic() + DOWN_SECONDS
    while True:
        try:
            return call()
        except LogError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.1)


def test_positions_of_each_partition_have_a_range_of_their_own(opened):
    log = opened()
    assert log.partitions("a") == PARTITIONS
    assert [log.end("a", p) for p in range(PARTITIONS)] == [
        p * PARTITION_SPAN for p in range(PARTITIONS)
    ]


def test_what_others_deleted_was_of_the_oldest_day_that_is_left_or_of_any(place, opened):
    log = opened()
    positions = log.append(some("a", *"123"))
    partition, first = divmod(positions[0], PARTITION_SPAN)
    today = log.read("a", positions[-1])[0].appended_at.date()
    servers, prefix = place.url.removeprefix("kafka://").split("/")
    administrator = AdminClient({"bootstrap.servers": servers})

    def delete_before(offset):
        limit = TopicPartition(f"{prefix}.a", partition, offset)
        administrator.delete_records([limit])[limit].result()

    delete_before(first + 1)
    assert log.forgotten_through("a", partition) == today
    delete_before(first + 3)
    assert log.forgotten_through("a", partition) == dt.date.max


def test_a_key_has_its_partition_whoever_appends(opened):
    log = opened()
    sent = [Message("a", f"stripe:default:pi_{n}", b"") for n in range(20)]

    async def by_tasks():
        appender = log.appender()
        given = await asyncio.gather(*(appender.append([each]) for each in sent))
        await appender.close()
        return [position for positions in given for position in positions]

    found = [
        [at // PARTITION_SPAN for at in each]
        for each in (log.append(sent), asyncio.run(by_tasks()))
    ]
    assert found[0] == found[1]
    assert set(found[0]) == set(range(PARTITIONS))
