"""Normalizers on Kafka: webhooks of a full topic become events, each exactly once.

Processes share the partitions of the topic. They have joined before it is filled, and stand still
until the clock starts.
"""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import cycle, islice

import msgspec
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from benchmarks.jobs import BenchmarkError, Done, Job, Task
from benchmarks.parts.on_kafka import PARTITIONS, KafkaLog, kafka_log
from benchmarks.parts.payments_normalizer import stored_webhooks
from benchmarks.parts.served import Child, started
from benchmarks.parts.webhook_load import CPU, cpu_seconds
from clearhouse.log.log import Message
from clearhouse.payments.topics import EVENTS, NORMALIZER, NORMALIZER_DEAD, UNMAPPED, WEBHOOKS

WEBHOOKS_IN_ALL = 100_000
_LIVES = 5_000
_AT_ONCE = 20_000
_KEYS = 997
_JOIN_SECONDS = 120.0
_ASK_SECONDS = 5.0
_DRAIN_SECONDS = 600.0
_POLL_SECONDS = 0.02


def one(job: Job, stack: ExitStack) -> Task:
    """One process and four partitions."""
    return _task(job, stack, 1)


def two(job: Job, stack: ExitStack) -> Task:
    """Two processes and eight partitions."""
    return _task(job, stack, 2)


def _task(job: Job, stack: ExitStack, processes: int) -> Task:
    log = stack.enter_context(kafka_log(PARTITIONS * processes))
    landing = (job.home / "landing").as_uri()
    module = "benchmarks.parts.normalizer_process"
    children = [
        stack.enter_context(started("normalizer", [module, "normalizer", log.place.url, landing]))
        for _ in range(processes)
    ]
    _wait_until_joined(log, children)
    for child in children:
        os.kill(child.pid, signal.SIGSTOP)
    size = _fill(log)
    stack.callback(_check, log)

    def run() -> Done:
        cpu = sum(cpu_seconds(child.pid) for child in children)
        for child in children:
            os.kill(child.pid, signal.SIGCONT)
        _wait_until_drained(log, children)
        used = sum(cpu_seconds(child.pid) for child in children) - cpu
        return Done(WEBHOOKS_IN_ALL, size, {CPU: used / WEBHOOKS_IN_ALL})

    return Task(run)


def _wait_until_joined(log: KafkaLog, children: Sequence[Child]) -> None:
    """Until each process has as many partitions as the others."""
    client = AdminClient({"bootstrap.servers": log.servers})
    group = log.name(NORMALIZER)
    deadline = time.monotonic() + _JOIN_SECONDS
    while _shares(client, group) != [PARTITIONS] * len(children):
        _go_on(children, deadline, "Normalizers do not share the partitions.")


def _shares(client: AdminClient, group: str) -> list[int]:
    """How many partitions each process of a consumer group has."""
    try:
        found = client.describe_consumer_groups([group], request_timeout=_ASK_SECONDS)[group]
        return [len(each.assignment.topic_partitions) for each in found.result().members]
    except KafkaException:  # a server that has just been started keeps no groups yet
        return []


def _fill(log: KafkaLog) -> int:
    """Webhooks of the sandbox, with those that need no fetch, repeated until there are enough."""
    webhooks = enumerate(islice(cycle(stored_webhooks(_LIVES)), WEBHOOKS_IN_ALL))
    size = 0
    while some := list(islice(webhooks, _AT_ONCE)):
        log.log.append(
            [Message(WEBHOOKS.name, f"key-{number % _KEYS}", webhook) for number, webhook in some]
        )
        size += sum(len(webhook) for _, webhook in some)
    return size


def _wait_until_drained(log: KafkaLog, children: Sequence[Child]) -> None:
    deadline = time.monotonic() + _DRAIN_SECONDS
    partitions = range(log.log.partitions(WEBHOOKS.name))
    while any(
        log.log.progress(NORMALIZER, WEBHOOKS.name, each) < log.log.end(WEBHOOKS.name, each)
        for each in partitions
    ):
        _go_on(children, deadline, "Normalizers do not come to the end.")


def _go_on(children: Sequence[Child], deadline: float, late: str) -> None:
    """Wait for the next look, while there is something to be waited for."""
    for child in children:
        child.check()
    if time.monotonic() > deadline:
        raise BenchmarkError(late)
    time.sleep(_POLL_SECONDS)


class _Said(msgspec.Struct):
    """Of an event or a dead letter: the webhook that it stems from."""

    webhook_position: int


def _check(log: KafkaLog) -> None:
    """See that each webhook has become one message."""
    decode = msgspec.json.Decoder(_Said).decode
    found = [
        decode(record.value).webhook_position
        for topic in (EVENTS, UNMAPPED, NORMALIZER_DEAD)
        for record in log.records(topic.name)
    ]
    if len(found) != WEBHOOKS_IN_ALL or len(set(found)) != WEBHOOKS_IN_ALL:
        raise BenchmarkError(
            f"{WEBHOOKS_IN_ALL} webhooks became {len(found)} messages, of {len(set(found))}."
        )
