"""Payment events as workflows on Temporal with PostgreSQL: from the log to rows and finished runs.

A starter and a worker, one process each, have nothing to do until the events are appended.
"""

import asyncio
import os
import time
import uuid
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from benchmarks.jobs import FIRST_DAY, BenchmarkError, Done, Job, Stopwatch, Task
from benchmarks.parts.on_kafka import kafka_log
from benchmarks.parts.payments_normalizer import stored_webhooks
from benchmarks.parts.served import running
from benchmarks.parts.webhook_load import CPU, cpu_seconds
from clearhouse.log.log import Message
from clearhouse.payments.event import PaymentEvent, encode_event, payment_key
from clearhouse.payments.normalizing import normalize
from clearhouse.payments.store.database import PaymentStore, open_store
from clearhouse.payments.store.tables import delivery
from clearhouse.payments.topics import EVENTS
from clearhouse.payments.webhook import decode_webhook
from clearhouse.payments.workflows.messages import PAYMENT_EVENT
from clearhouse.payments.workflows.place import prepare_workflows, temporal_place
from clearhouse.settings import load_settings
from clearhouse.workflows.temporal import TemporalPlace, connect

EVENTS_IN_ALL = 5_000
RECORDED = "all events recorded"
TRANSITIONS, HISTORY = "state transitions per event", "events of history per event"
_LIVES = 6_000
_POLL_SECONDS = 0.2
_DRAIN_SECONDS = 1_800.0
_FINISHED = f"WorkflowType = '{PAYMENT_EVENT}' AND ExecutionStatus = 'Completed'"


def drain(job: Job, stack: ExitStack) -> Task:
    """5,000 events of the sandbox; it ends when every run has completed."""
    log = stack.enter_context(kafka_log())
    environment = _environment(log.place.url, job.home)
    settings = load_settings(_env_file=None, **{k.lower(): v for k, v in environment.items()})
    store = open_store(settings.payments_database_url)
    stack.callback(store.close)
    prepare_workflows(settings)
    place = temporal_place(settings)
    starter, worker = (
        stack.enter_context(
            running(
                name,
                lambda port, name=name: ["clearhouse", "serve", name, "--port", str(port)],
                environment,
            )
        )
        for name in ("starter", "worker")
    )
    messages = [_message(event) for event in _events()]

    async def wait() -> Stopwatch:
        watch = Stopwatch()
        began = time.perf_counter()
        client = await connect(place)
        deadline = time.monotonic() + _DRAIN_SECONDS
        while _recorded(store) < EVENTS_IN_ALL:
            await _pause(deadline)
        watch.add(RECORDED, time.perf_counter() - began)
        while (await client.count_workflows(_FINISHED)).count < EVENTS_IN_ALL:
            await _pause(deadline)
        return watch

    def run() -> Done:
        cpu = cpu_seconds(starter.pid) + cpu_seconds(worker.pid)
        log.log.append(messages)
        watch = asyncio.run(wait())
        used = cpu_seconds(starter.pid) + cpu_seconds(worker.pid) - cpu
        watch.add(CPU, used / EVENTS_IN_ALL)
        size = sum(len(message.value) for message in messages)
        return Done(EVENTS_IN_ALL, size, watch.seconds)

    def content() -> dict[str, str]:
        _check(store)
        return asyncio.run(_left_behind(place))

    return Task(run, content)


async def _left_behind(place: TemporalPlace) -> dict[str, str]:
    """State transitions and events of history of a finished run, on average."""
    client = await connect(place)
    transitions = history = 0
    async for each in client.list_workflows(_FINISHED):
        transitions += each.raw_info.state_transition_count
        history += each.raw_info.history_length
    return {
        TRANSITIONS: f"{transitions / EVENTS_IN_ALL:.2f}",
        HISTORY: f"{history / EVENTS_IN_ALL:.2f}",
    }


def _environment(log_url: str, home: Path) -> dict[str, str]:
    """Of the services: a log, a database and a namespace that nobody else uses."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    try:
        admin, workflows = os.environ["POSTGRES_ADMIN_URL"], os.environ["WORKFLOWS_URL"]
    except KeyError as error:
        raise BenchmarkError(f"{error} is not set: run `make bench-stack`.") from None
    url = sa.make_url(admin).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    database = sa.make_url(admin).set(database=name)
    return {
        "CLEARHOUSE_HOME": str(home),
        "LOG_URL": log_url,
        "PAYMENTS_DATABASE_URL": database.render_as_string(hide_password=False),
        "WORKFLOWS_URL": f"{workflows.rpartition('/')[0]}/{name}",
    }


def _events() -> list[PaymentEvent]:
    """Events of the sandbox, each of a webhook of its own."""
    said = (
        normalize(decode_webhook(stored), position, FIRST_DAY)
        for position, stored in enumerate(stored_webhooks(_LIVES))
    )
    found = list(islice((each for each in said if isinstance(each, PaymentEvent)), EVENTS_IN_ALL))
    if len(found) != EVENTS_IN_ALL:
        raise BenchmarkError(f"The sandbox gives {len(found)} of {EVENTS_IN_ALL} events.")
    return found


def _message(event: PaymentEvent) -> Message:
    return Message(EVENTS.name, payment_key(event) or event.event_id, encode_event(event))


async def _pause(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise BenchmarkError("Not all events became finished runs.")
    await asyncio.sleep(_POLL_SECONDS)


def _recorded(store: PaymentStore) -> int:
    with store.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(delivery)) or 0


def _check(store: PaymentStore) -> None:
    """See that each event was recorded, once."""
    with store.reading() as connection:
        found = connection.execute(
            sa.select(delivery.c.outcome, sa.func.count()).group_by(delivery.c.outcome)
        ).all()
    if [tuple(row) for row in found] != [("recorded", EVENTS_IN_ALL)]:
        raise BenchmarkError(f"{EVENTS_IN_ALL} events became {found}.")
