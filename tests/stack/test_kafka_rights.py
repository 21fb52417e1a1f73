"""Payments on a Kafka with an authorizer: each role does its work with its own rights alone."""

import asyncio
import datetime as dt
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from payment_lives import an_event

from clearhouse.log.kafka.connection import Connection
from clearhouse.log.log import Log, LogError, Message, Progress, partition_of
from clearhouse.log.scan import scan
from clearhouse.payments import aging, flow
from clearhouse.payments.event import EventType, encode_event
from clearhouse.payments.log_opening import log_place, open_payment_log
from clearhouse.payments.normalizer.aging import read_by_all
from clearhouse.payments.rights import rights
from clearhouse.payments.store.database import open_store
from clearhouse.payments.topics import (
    EVENTS,
    GATEWAY_CHECK,
    GATEWAY_DEAD,
    RECORDED,
    REDRIVEN,
    WEBHOOKS,
    WORKER_DEAD,
)
from clearhouse.payments.workflows import starter_service
from clearhouse.settings import Settings, load_settings
from stack.certificates import Authority
from stack.commands import Stack
from stack.payment_runs import Payments, Service, until
from stack.secure_kafka import USER, run_acls, running
from stack.server import Server
from stack.test_traces_on_kafka import post_one

PASSWORD = "correct-horse-battery-staple"
ROLES = tuple(rights(has_workflows=True))
_IN_CAPITALS = re.compile("(?<=[a-z])(?=[A-Z])")
WORKER_ALONE = "worker-alone"
"""A worker that reads the log by itself, where no server has workflows."""
SERVICES = ("worker", "starter", "normalizer", "gateway")


class Cluster:
    """Payments whose log is on a broker where each role is a user of its own."""

    def __init__(self, payments: Payments, address: str, authority: Authority) -> None:
        self.payments = payments
        name = payments.environment["LOG_URL"].rpartition("/")[2]
        payments.environment |= {
            "LOG_URL": f"kafka+ssl://{address}/{name}",
            "KAFKA_CA_FILE": str(authority.file),
            "KAFKA_PASSWORD": PASSWORD,
        }

    def environment(self, role: str) -> dict[str, str]:
        return {**self.payments.environment, "KAFKA_USERNAME": role}

    def settings(self, role: str) -> Settings:
        variables = {k.lower(): v for k, v in self.environment(role).items()}
        return load_settings(_env_file=None, **variables)

    def allow(self, roles: list[dict[str, Any]]) -> None:
        """Give roles what they are allowed, as administrator."""
        client = AdminClient(Connection(log_place(self.settings(USER))).settings({}))
        bindings = [
            AclBinding(
                ResourceType[right["resource"].upper().replace("-", "_")],
                right["name"],
                ResourcePatternType[right["pattern"].upper()],
                role["principal"],
                "*",
                AclOperation[_IN_CAPITALS.sub("_", operation).upper()],
                AclPermissionType.ALLOW,
            )
            for role in roles
            for right in role["allow"]
            for operation in right["operations"]
        ]
        for future in client.create_acls(list(dict.fromkeys(bindings))).values():
            future.result()

    @contextmanager
    def log(self, role: str) -> Iterator[Log]:
        log = open_payment_log(log_place(self.settings(role)))
        try:
            yield log
        finally:
            log.close()

    def allowed(self, **environment: str) -> list[dict[str, Any]]:
        """What the command allows each role."""
        words = ("payments", "acls", "--json")
        return list(json.loads(self.command("nobody", *words, **environment)))

    def command(self, role: str, *words: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "clearhouse", *words],
            env={**os.environ, **self.environment(role), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def cluster(
    stack: Stack, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("rights")
    authority = Authority(folder, "ours")
    with running(
        tmp_path_factory.mktemp("kafka"), authority, PASSWORD, [*ROLES, WORKER_ALONE]
    ) as address:
        payments = Payments(stack.settings, server, tmp_path_factory.mktemp("home"))
        found = Cluster(payments, address, authority)
        # As an administrator does for one role, and through an API, which is faster, for the rest.
        said = found.command("nobody", "payments", "acls").partition("# normalizer")[0]
        for line in said.splitlines()[1:]:
            run_acls(shlex.split(line), authority, PASSWORD, folder)
        allowed = found.allowed()
        assert [each["role"] for each in allowed] == list(ROLES)
        (alone,) = (r for r in found.allowed(WORKFLOWS_URL="inline://") if r["role"] == "worker")
        found.allow([*allowed[1:], {**alone, "principal": f"User:{WORKER_ALONE}"}])
        found.command("prepare", "payments", "prepare")
        yield found


def test_every_role_does_its_work_with_what_the_command_allows(cluster: Cluster) -> None:
    payments = cluster.payments
    with ExitStack() as stack:
        for name in SERVICES:
            program = [sys.executable, "-m", "clearhouse", "serve", name]
            program += ["--sandbox"] if name == "gateway" else []
            service = Service(name, cluster.environment(name), [*program, "--port"])
            stack.callback(service.kill)
            service.until_ready()
        gateway = f"http://127.0.0.1:{service.port}"
        post_one(gateway)
        until(lambda: list(payments.outcomes().values()) == ["recorded"], payments.outcomes)
        with cluster.log("batch") as log:
            store = open_store(payments.settings.payments_database_url)
            stack.callback(store.close)
            measured = lambda: flow.measure(log, store.engine, has_workflows=True)  # noqa: E731
            until(lambda: measured().is_settled, measured)
            assert [record.topic for record in scan(log, RECORDED.name)] == [RECORDED.name]
    answer = cluster.command("batch", "doctor", "--json")
    assert "log_not_allowed" not in answer
    assert "0 webhooks" not in cluster.command(
        "operator", "replay", "payments", "--from", str(_today()), "--to", str(_today())
    )


def test_so_does_a_worker_where_no_server_has_workflows(cluster: Cluster) -> None:
    payments = cluster.payments
    event = an_event(EventType.CAPTURED, webhook_position=1_000)
    with cluster.log(USER) as log:
        log.append([Message(EVENTS.name, "key", encode_event(event))])
    environment = {**cluster.environment(WORKER_ALONE), "WORKFLOWS_URL": "inline://"}
    worker = Service("worker", environment)
    try:
        worker.until_ready()
        until(lambda: payments.outcomes().get(1_000) == "recorded", payments.outcomes)
        until(lambda: worker.metric("worker_outbox") == 0)
    finally:
        worker.kill()


def test_gateway_normalizer_and_starter_do_what_they_do_seldom(cluster: Cluster) -> None:
    later = _today() + dt.timedelta(days=100)
    with cluster.log("gateway") as log:
        log.append((), Progress("gateway-1", GATEWAY_CHECK, 0))
    with cluster.log("normalizer") as log:
        assert aging.age_out(log, later, read_by_all(log)) >= 0
    with cluster.log("starter") as log:
        assert starter_service.age_out(log, later) >= 0


@pytest.mark.parametrize(
    ("role", "topic"), [("normalizer", WEBHOOKS), ("starter", EVENTS), (WORKER_ALONE, REDRIVEN)]
)
def test_who_forgets_records_notes_their_day_for_the_books(
    cluster: Cluster, role: str, topic: Any
) -> None:
    with cluster.log(USER) as log:
        (position,) = log.append(_some(topic.name))
    with cluster.log(role) as log:
        log.age_out({topic.name: [position + 1]})
    with cluster.log("batch") as log:
        assert log.forgotten_through(topic.name, partition_of(position)) == _today()


def test_the_operator_publishes_what_is_redriven(cluster: Cluster) -> None:
    with cluster.log("operator") as log:
        progress = log.progress("outbox", "store:outbox")
        log.append(_some(RECORDED.name), Progress("outbox", "store:outbox", progress + 1))


@pytest.mark.parametrize(
    ("role", "reads"),
    [
        ("gateway", WEBHOOKS), ("gateway", EVENTS), ("worker", WEBHOOKS), ("worker", EVENTS),
        ("starter", WEBHOOKS), ("normalizer", EVENTS), ("prepare", WEBHOOKS),
    ],
)  # fmt: skip
def test_no_role_reads_what_is_not_its_own(cluster: Cluster, role: str, reads: Any) -> None:
    with cluster.log(USER) as log:
        (position,) = log.append(_some(reads.name))
    with cluster.log(role) as log, pytest.raises(LogError) as caught:
        log.read(reads.name, position)
    assert caught.value.code == "log_not_allowed"


@pytest.mark.parametrize(
    ("role", "writes"),
    [
        ("gateway", EVENTS), ("normalizer", WEBHOOKS), ("starter", EVENTS), ("worker", EVENTS),
        ("worker", GATEWAY_DEAD), ("batch", WEBHOOKS), ("prepare", WEBHOOKS),
        ("operator", EVENTS), ("normalizer", WORKER_DEAD),
    ],
)  # fmt: skip
def test_no_role_writes_what_is_not_its_own(cluster: Cluster, role: str, writes: Any) -> None:
    with cluster.log(role) as log, pytest.raises(LogError) as caught:
        log.append(_some(writes.name))
    assert caught.value.code == "log_not_allowed"


def test_an_appender_that_is_not_allowed_says_so(cluster: Cluster) -> None:
    async def append(log: Log) -> None:
        appender = log.appender()
        await asyncio.wait_for(appender.append(_some(WEBHOOKS.name)), 60)

    with cluster.log("batch") as log, pytest.raises(LogError) as caught:
        asyncio.run(append(log))
    assert caught.value.code == "log_not_allowed"


def test_no_role_moves_the_progress_of_another(cluster: Cluster) -> None:
    with cluster.log("batch") as log, pytest.raises(LogError) as caught:
        log.append((), Progress("starter", EVENTS.name, 0))
    assert caught.value.code == "log_not_allowed"


def _some(topic: str) -> list[Message]:
    return [Message(topic, "key", b"{}")]


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
