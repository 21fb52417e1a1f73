"""The gateway on Kafka with acks=all, and the plain way beside it on the same broker.

`clearhouse serve gateway` as it is, and `benchmarks.parts.gateway_peer`: one process each.
"""

import json
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import httpx

from benchmarks.jobs import BenchmarkError, Job, Task
from benchmarks.parts.on_kafka import KafkaLog, kafka_log
from benchmarks.parts.served import Server, running, served
from benchmarks.parts.webhook_load import FEW, MANY, REQUESTS, SECRET, loaded
from clearhouse.payments.topics import WEBHOOKS
from clearhouse.sandbox.payments import signing

_CARD = "4242424242424242"


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
    _see_it_checks(server)
    stack.callback(_see_it_kept, log, REQUESTS + connections + 1)
    return Task(loaded(server, connections))


def _see_it_checks(server: Server) -> None:
    """See that both sides refuse alike, and send a card number, which is not to be kept."""
    now = int(time.time())
    body = json.dumps(
        {"id": "evt_1", "type": "charge.succeeded", "data": {"object": {"id": "ch_1"}}}
        | {"description": f"card {_CARD}"}
    ).encode()
    large = body + b" " * (512 << 10)
    for sent, secret, status in (
        (body, "of somebody else", 401),
        (large, SECRET, 413),
        (body, SECRET, 200),
    ):
        headers = signing.stripe(sent, [secret], now)
        answer = httpx.post(f"{server.url}/webhooks/stripe", content=sent, headers=headers)
        if answer.status_code != status:
            raise BenchmarkError(f"The gateway said {answer.status_code}, and not {status}.")


def _see_it_kept(log: KafkaLog, sent: int) -> None:
    kept = list(log.records(WEBHOOKS.name))
    masked = sum(b"card 424242******4242" in record.value for record in kept)
    if len(kept) != sent or masked != 1:
        raise BenchmarkError(f"Kafka has {len(kept)} of {sent} webhooks, {masked} masked.")


def _ours(log: KafkaLog, home: Path) -> AbstractContextManager[Server]:
    settings = {
        "LOG_URL": log.place.url,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "CLEARHOUSE_HOME": str(home),
        "WORKFLOWS_URL": "inline://",  # the stack names a server, which asks for a store too
    }
    return running(
        "gateway",
        lambda port: ["clearhouse", "serve", "gateway", "--port", str(port)],
        settings,
    )


def _peer(log: KafkaLog) -> AbstractContextManager[Server]:
    return served("benchmarks.parts.gateway_peer", "peer", log.servers, log.name(WEBHOOKS.name))
