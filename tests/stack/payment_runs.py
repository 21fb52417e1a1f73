"""Payments on a workflow server: a log, a store and a namespace that nobody else uses, the services
as processes, and what became of events."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
import sqlalchemy as sa
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from clearhouse.log.log import Log, Message
from clearhouse.log.preparing import prepare_log
from clearhouse.log.scan import scan
from clearhouse.payments.dead_letter import DeadLetter
from clearhouse.payments.event import PaymentEvent, encode_event
from clearhouse.payments.log_opening import declared_topics, log_place, open_payment_log
from clearhouse.payments.store.database import PaymentStore, open_store
from clearhouse.payments.store.tables import delivery
from clearhouse.payments.topics import EVENTS
from clearhouse.payments.workflows.messages import STATE, RunState, workflow_id
from clearhouse.payments.workflows.place import prepare_workflows, temporal_place
from clearhouse.settings import Settings, load_settings
from clearhouse.workflows.temporal import connect
from stack.commands import free_port
from stack.server import Server

SOON_SECONDS = 90
T = TypeVar("T")


def until(holds: Callable[[], T], why: Callable[[], object] = lambda: "") -> T:
    """Wait until something holds, and return it; it has to be soon."""
    give_up_at = time.monotonic() + SOON_SECONDS
    while not (found := holds()):
        assert time.monotonic() < give_up_at, f"it did not come to that: {why()}"
        time.sleep(0.1)
    return found


class Payments:
    """One deployment of payments.

    Args:
        stack: settings of the servers.
        server: its PostgreSQL.
        home: a folder.
    """

    def __init__(self, stack: Mapping[str, str], server: Server, home: Path) -> None:
        name = f"test-{uuid.uuid4().hex[:12]}"
        self.database = name
        self._server = server
        self.environment = {
            "CLEARHOUSE_HOME": str(home),
            "LOG_URL": f"{stack['LOG_URL'].rstrip('/')}/{name}",
            "PAYMENTS_DATABASE_URL": server.database(name),
            "WORKFLOWS_URL": f"{stack['WORKFLOWS_URL'].rpartition('/')[0]}/{name}",
            "KAFKA_PARTITIONS": "3",
        }
        self._last = 0

    @property
    def settings(self) -> Settings:
        return load_settings(_env_file=None, **{k.lower(): v for k, v in self.environment.items()})

    def prepare(self) -> list[str]:
        """Topics, tables and namespace."""
        prepare_log(log_place(self.settings), declared_topics())
        open_store(self.settings.payments_database_url).close()
        return prepare_workflows(self.settings)

    @contextmanager
    def opened(self) -> Iterator[tuple[Log, PaymentStore]]:
        log = self.opened_log()
        store = open_store(self.settings.payments_database_url)
        try:
            yield log, store
        finally:
            store.close()
            log.close()

    def send(self, *events: PaymentEvent, topic: str = EVENTS.name) -> list[PaymentEvent]:
        """Append events as the normalizer does, each of a webhook of its own."""
        sent = []
        for event in events:
            self._last += 1
            sent.append(msgspec.structs.replace(event, webhook_position=self._last))
        self.append(*sent, topic=topic)
        return sent

    def append(self, *events: PaymentEvent, topic: str = EVENTS.name) -> None:
        """Append events as they are."""
        log = self.opened_log()
        log.append([Message(topic, e.payment_id or e.event_id, encode_event(e)) for e in events])
        log.close()

    def opened_log(self) -> Log:
        return open_payment_log(log_place(self.settings))

    def read(self, topic: str) -> list[bytes]:
        """All messages of a topic."""
        log = self.opened_log()
        found = [record.value for record in scan(log, topic)]
        log.close()
        return found

    def letters(self, topic: str) -> list[DeadLetter]:
        return [msgspec.json.decode(value, type=DeadLetter) for value in self.read(topic)]

    def rows(self, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
        store = open_store(self.settings.payments_database_url)
        with store.reading() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        store.close()
        return rows

    @contextmanager
    def outage(self) -> Iterator[None]:
        """The store takes no connections, and has ended those that it had; the server goes on."""
        edit, url = self._server.databases.edit, self._server.url
        of_it = f"WHERE datname = '{self.database}'"
        allow = f'ALTER DATABASE "{self.database}" ALLOW_CONNECTIONS'
        end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity {of_it}"
        edit(url, f"{allow} false", end)
        try:
            yield
        finally:
            edit(url, f"{allow} true")

    def outcomes(self) -> dict[int, str]:
        """By webhook, what became of it."""
        return dict(self.rows(sa.select(delivery.c.webhook_position, delivery.c.outcome)))

    def until_outcomes(self, expected: Mapping[int, str]) -> None:
        """Wait until webhooks have come to what they must, and to nothing else."""
        until(lambda: self.outcomes() == expected, self.outcomes)

    @contextmanager
    def serving(self, *services: str) -> Iterator[list["Service"]]:
        """Services as processes, ready; killed at the end."""
        running = [Service(name, self.environment) for name in services]
        try:
            for each in running:
                each.until_ready()
            yield running
        finally:
            for each in running:
                each.kill()

    def ask(self, question: Callable[[Client], Awaitable[T]]) -> T:
        """Ask the workflow server something."""

        async def asking() -> T:
            return await question(await connect(temporal_place(self.settings)))

        return asyncio.run(asking())

    def described(self, own: str) -> WorkflowExecutionDescription | None:
        """The run of an event; None: there is none."""

        async def describe(client: Client) -> WorkflowExecutionDescription | None:
            try:
                return await client.get_workflow_handle(own).describe()
            except RPCError as error:
                if error.status != RPCStatusCode.NOT_FOUND:
                    raise
                return None

        return self.ask(describe)

    def status(self, event: PaymentEvent) -> str:
        """COMPLETED, FAILED, RUNNING; "" where there is no run."""
        found = self.described(workflow_id(event.event_id))
        return found.status.name if found is not None and found.status is not None else ""

    def state(self, event: PaymentEvent) -> RunState:
        """What the run of an event says."""
        return self.state_of(workflow_id(event.event_id))

    def state_of(self, own: str) -> RunState:
        """What a run says."""

        async def query(client: Client) -> RunState:
            return await client.get_workflow_handle(own).query(STATE, result_type=RunState)

        return self.ask(query)

    def forget(self, event: PaymentEvent) -> None:
        """Have the server forget the run of an event, as it does when its retention is over."""

        async def delete(client: Client) -> None:
            execution = WorkflowExecution(workflow_id=workflow_id(event.event_id))
            await client.workflow_service.delete_workflow_execution(
                DeleteWorkflowExecutionRequest(
                    namespace=client.namespace, workflow_execution=execution
                )
            )

        self.ask(delete)
        until(lambda: self.status(event) == "")

    def signal(self, event: PaymentEvent, name: str, *arguments: Any) -> None:
        async def tell(client: Client) -> None:
            handle = client.get_workflow_handle(workflow_id(event.event_id))
            await handle.signal(name, args=arguments)

        self.ask(tell)


class Service:
    """A service as a process."""

    def __init__(
        self, name: str, environment: Mapping[str, str], program: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.port = free_port()
        usual = (sys.executable, "-m", "clearhouse", "serve", name, "--port")
        self._command = [*(program or usual), self.port]
        self._environment = {**os.environ, **environment}
        self.process = self._started()

    def _started(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._command, env=self._environment, cwd=self._environment["CLEARHOUSE_HOME"]
        )

    def again(self) -> None:
        """Start it after it has ended."""
        self.process = self._started()

    def get(self, path: str) -> httpx.Response | None:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=10)
        except httpx.TransportError:
            return None

    def until_ready(self) -> None:
        def is_ready() -> bool:
            assert self.process.poll() is None, f"{self.name} has ended"
            answer = self.get("/health/ready")
            return answer is not None and answer.is_success

        until(is_ready, lambda: self.name)

    def metric(self, line: str) -> float:
        """The value of a metric by its name and labels."""
        answer = self.get("/metrics")
        assert answer is not None
        values = dict(row.rsplit(" ", 1) for row in answer.text.splitlines() if row[:1] != "#")
        return float(values[line])

    def end(self) -> int:
        """SIGTERM; the code that it ends with."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SOON_SECONDS)

    def kill(self) -> None:
        """SIGKILL, at whatever it is."""
        self.process.kill()
        self.process.wait()


def numbered(events: Sequence[PaymentEvent], outcome: str = "recorded") -> dict[int, str]:
    """Webhooks of events by their position, all with one outcome."""
    return {event.webhook_position: outcome for event in events}
