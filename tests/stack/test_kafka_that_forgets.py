"""What a Kafka does to a log by itself: it forgets progress, cuts topics by size, and restarts."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from gateway_driver import ask, running, sign, stripe_body
from kafka_logs import new_place

from clearhouse.landing.store import Landing
from clearhouse.log.log import Message
from clearhouse.log.opening import LogPlace, open_log
from clearhouse.payments.log_opening import declared_topics
from clearhouse.payments.normalizer.archive import CONSUMER, Archive, archived
from clearhouse.payments.topics import WEBHOOKS
from stack.commands import Stack

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def place(stack: Stack) -> LogPlace:
    return new_place(stack.settings["LOG_URL"], declared_topics())


@pytest.fixture
def admin(stack: Stack) -> AdminClient:
    return AdminClient({"bootstrap.servers": stack.settings["LOG_URL"].removeprefix("kafka://")})


def on_server(place: LogPlace, name: str) -> str:
    return f"{place.url.rpartition('/')[2]}.{name}"


def test_the_archive_goes_on_when_its_progress_is_forgotten_after_its_webhooks_were_aged_out(
    place: LogPlace, admin: AdminClient, tmp_path: Path
) -> None:
    log, landing = open_log(place, declared_topics()), Landing.from_url(tmp_path.as_uri())
    archive = Archive(log, landing, lambda: NOW + dt.timedelta(days=1))  # blocks of today are whole
    log.append([Message(WEBHOOKS.name, "key", b"%d" % n) for n in range(3)])
    assert archive.step() == 3
    ends = [log.end(WEBHOOKS.name, each) for each in range(log.partitions(WEBHOOKS.name))]
    assert log.age_out({WEBHOOKS.name: ends}) == 3

    # As a broker does a week after the last commit, by its default.
    admin.delete_consumer_groups([on_server(place, CONSUMER)])[on_server(place, CONSUMER)].result()
    log.append([Message(WEBHOOKS.name, "key", b"later")])
    assert [archive.step(), archive.step()] == [1, 0]
    assert len(list(archived(landing, NOW.date()))) == 4
    log.close()


def test_a_topic_is_not_cut_by_its_size_whatever_the_brokers_do_with_others(
    place: LogPlace, admin: AdminClient
) -> None:
    topic = ConfigResource(ResourceType.TOPIC, on_server(place, WEBHOOKS.name))
    said = admin.describe_configs([topic])[topic].result()["retention.bytes"]
    assert (said.value, said.is_default) == ("-1", False)


def test_gateways_of_two_hosts_with_the_same_process_id_see_that_the_log_can_be_written(
    place: LogPlace, stack: Stack
) -> None:
    """As in containers, where both are process 1."""
    body = stripe_body()
    path, headers = sign("stripe", body)

    async def act() -> None:
        logs = [open_log(place, declared_topics()) for _ in range(2)]
        async with running(logs[0]) as one, running(logs[1]) as other:
            stack.kill("kafka")
            try:
                for each in (one, other):
                    assert (await ask(each, path, headers, body))[0] == 503
            finally:
                stack.up()
            for each in (one, other):
                await _until_ready(each)
            answers = [await ask(each, "/health/ready", method="GET") for each in (one, other) * 2]
            assert [each[0] for each in answers] == [200] * 4, answers

    asyncio.run(act())


async def _until_ready(gateway: Any) -> None:
    async with asyncio.timeout(60):
        while (await ask(gateway, "/health/ready", method="GET"))[0] != 200:
            await asyncio.sleep(0.2)
