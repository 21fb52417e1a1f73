"""The gateway on Kafka with acks=all, and the plain way beside it on the same broker.

`clearhouse serve gateway` as it is, and `benchmarks.parts.gateway_peer`: one process each.
"""

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from benchmarks.jobs import BenchmarkError, Job, Task
from benchmarks.parts.on_kafka import KafkaLog, kafka_log
from benchmarks.parts.served import Server, running, served
from benchmarks.parts.webhook_load import FEW, MANY, REQUESTS, SECRET, loaded
from clearhouse.payments.topics import WEBHOOKS


def few_connections(job: Job, stack: ExitStack) -> Task:
    """16 connections, each of which sends when it is answered."""
    return _task(job, stack, FEW)


def many_connections(job: Job, stack: ExitStack) -> Task:
    """The same with 64."""
    return _task(job, stack, MANY)


def peer_few_connections(job: Job, stack: ExitStack) -> Task:
    """FastAPI and aiokafka over 16 connections."""
    return _task(job, stack, FEW, is_peer=True)


def peer_many_connections(job: Job, stack: ExitStack) -> Task:
    """The same with 64."""
    return _task(job, stack, MANY, is_peer=True)


def _task(job: Job, stack: ExitStack, connections: int, *, is_peer: bool = False) -> Task:
    log = stack.enter_context(kafka_log())
    server = stack.enter_context(_peer(log) if is_peer else _ours(log, job.home))
    stack.callback(_check, log, REQUESTS + connections)
    return Task(loaded(server, connections))


def _check(log: KafkaLog, sent: int) -> None:
    kept = log.kept(WEBHOOKS.name)
    if kept != sent:
        raise BenchmarkError(f"Kafka has {kept} of {sent} webhooks.")


def _ours(log: KafkaLog, home: Path) -> AbstractContextManager[Server]:
    settings = {
        "LOG_URL": log.place.url,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "CLEARHOUSE_HOME": str(home),
    }
    return running(
        "gateway",
        lambda port: ["clearhouse", "serve", "gateway", "--port", str(port)],
        settings,
    )


def _peer(log: KafkaLog) -> AbstractContextManager[Server]:
    return served("benchmarks.parts.gateway_peer", "peer", log.servers, log.name(WEBHOOKS.name))
