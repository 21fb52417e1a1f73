"""The worker: how many events a second are judged, recorded, folded and published."""

from contextlib import ExitStack

import sqlalchemy as sa

from benchmarks.jobs import BenchmarkError, Done, Job, Task
from benchmarks.parts.payments_normalizer import stored_webhooks
from benchmarks.parts.served import running
from clearhouse.landing.store import Landing
from clearhouse.log.log import Log, Message
from clearhouse.log.opening import LogPlace
from clearhouse.log.scan import scan
from clearhouse.payments.inference.client import Inference, InProcess
from clearhouse.payments.inference.over_http import OverHttp
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.normalizer.loop import Normalizer
from clearhouse.payments.store.database import PaymentStore, open_store
from clearhouse.payments.store.tables import decision, delivery, payment_event
from clearhouse.payments.topics import EVENTS, RECORDED, WEBHOOKS
from clearhouse.payments.worker.loop import Worker

_A_DAY = 60
"""Webhooks for each day of the job: a year is some 22,000, and 17,000 events."""
_AT_ONCE = 1_000


def in_process(job: Job, stack: ExitStack) -> Task:
    """From `payments.events` to the store and `payments.recorded`, on the disk, in one process."""
    return _task(job, stack, InProcess())


def over_http(job: Job, stack: ExitStack) -> Task:
    """The same with the inference service in a process of its own, asked in batches."""
    server = stack.enter_context(
        running(
            "inference service",
            lambda port: ["clearhouse", "serve", "inference", "--port", str(port)],
        )
    )
    inference = OverHttp(server.url)
    stack.callback(inference.close)
    return _task(job, stack, inference)


def _task(job: Job, stack: ExitStack, inference: Inference) -> Task:
    log = open_payment_log(LogPlace(f"sqlite:///{job.home}/log.db"))
    stack.callback(log.close)
    _fill(job, log)
    size = sum(len(record.value) for record in scan(log, EVENTS.name))
    store = open_store(f"sqlite:///{job.home}/payments.db")
    stack.callback(store.close)

    def run() -> Done:
        worker = Worker(log, store, inference)
        handled = 0
        while step := worker.step():
            handled += step
        return Done(handled, size)

    return Task(run, lambda: _checked(log, store))


def _fill(job: Job, log: Log) -> None:
    webhooks = stored_webhooks(_A_DAY * job.days)
    for start in range(0, len(webhooks), _AT_ONCE):
        some = webhooks[start : start + _AT_ONCE]
        log.append([Message(WEBHOOKS.name, "k", webhook) for webhook in some])
    normalizer = Normalizer(log, Landing.from_url((job.home / "landing").as_uri()))
    while normalizer.step():
        pass


def _checked(log: Log, store: PaymentStore) -> dict[str, str]:
    def count(connection: sa.Connection, *of: sa.FromClause) -> int:
        return connection.scalar(sa.select(sa.func.count()).select_from(*of)) or 0

    with store.reading() as connection:
        delivered, recorded = count(connection, delivery), count(connection, payment_event)
        fallbacks = count(connection, sa.select(decision).where(decision.c.is_fallback).subquery())
    if (delivered, recorded) != (log.end(EVENTS.name), log.end(RECORDED.name)) or fallbacks:
        raise BenchmarkError(
            f"Of {log.end(EVENTS.name)} events {delivered} were delivered, {recorded} recorded, "
            f"{log.end(RECORDED.name)} published, with {fallbacks} fallbacks."
        )
    return {}
