"""What the servers promise to those who use them."""

import asyncio
import json
import time
import urllib.request

import psycopg
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic
from google.protobuf.duration_pb2 import Duration
from obstore.exceptions import BaseError
from obstore.store import S3Store
from redis import AuthenticationError, Redis
from temporalio import workflow
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from deploy.native.servers import SERVERS
from stack.commands import Stack


def bucket(settings: dict[str, str], **changed: str) -> S3Store:
    """The stack's bucket, by the variables that it says to export."""
    names = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    config = {name: settings[name] for name in names} | changed
    return S3Store.from_url(
        settings["LANDING_URL"], config=config, client_options={"allow_http": True}
    )


def test_the_owner_has_a_database_and_no_more(stack: Stack) -> None:
    with psycopg.connect(stack.settings["DATABASE_URL"]) as owner:
        assert owner.info.server_version >= 14_00_00
        owner.execute("CREATE TEMPORARY TABLE mine (amount numeric(38, 0))")
        asked = "SELECT current_database(), current_user, rolsuper, rolcreaterole FROM pg_roles"
        row = owner.execute(f"{asked} WHERE rolname = current_user").fetchone()
    assert row == ("clearhouse", "clearhouse", False, False)


def test_what_is_committed_is_on_the_disk_and_checked_when_read(stack: Stack) -> None:
    with psycopg.connect(stack.settings["DATABASE_URL"]) as owner:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert owner.execute(f"SHOW {setting}").fetchone() == ("on",), setting


def test_the_administrator_can_make_roles(stack: Stack) -> None:
    with psycopg.connect(stack.settings["POSTGRES_ADMIN_URL"]) as administrator:
        administrator.execute("CREATE ROLE reader LOGIN")
        administrator.rollback()


@pytest.mark.parametrize("url", ["DATABASE_URL", "POSTGRES_ADMIN_URL"])
def test_a_wrong_password_is_refused(stack: Stack, url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(stack.settings[url], password="wrong")


def test_without_a_password_nobody_comes_in(stack: Stack) -> None:
    port = stack.status()["postgres"][1]
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres")


def test_the_store_takes_and_returns_an_object_once(stack: Stack) -> None:
    store = bucket(stack.settings)

    store.put("2024-01-01/a day.json", b"[1]", mode="create")

    with pytest.raises(BaseError, match="already exists"):
        store.put("2024-01-01/a day.json", b"[2]", mode="create")
    assert store.get("2024-01-01/a day.json").bytes() == b"[1]"
    assert [meta["path"] for meta in store.list("2024-01-01").collect()] == [
        "2024-01-01/a day.json"
    ]


@pytest.mark.parametrize("wrong", ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"])
def test_wrong_keys_are_refused_and_not_taken_for_a_missing_object(
    stack: Stack, wrong: str
) -> None:
    bucket(stack.settings).put("there", b"data")
    store = bucket(stack.settings, **{wrong: "wrong"})
    for attempt in (lambda: store.put("key", b"data"), lambda: store.get("there")):
        with pytest.raises(BaseError, match=r"SignatureDoesNotMatch|InvalidAccessKeyId") as refused:
            attempt()
        assert not isinstance(refused.value, FileNotFoundError)


def test_redis_takes_the_password_and_wakes_those_who_wait(stack: Stack) -> None:
    url = stack.settings["REDIS_URL"]
    with Redis.from_url(url) as cache, cache.pubsub() as waiting:
        waiting.subscribe("lines")
        assert waiting.get_message(timeout=5)["type"] == "subscribe"

        cache.publish("lines", "17")

        assert waiting.get_message(timeout=5)["data"] == b"17"
    password = url.partition("@")[0].rpartition(":")[2]
    with (
        Redis.from_url(url.replace(password, "wrong")) as stranger,
        pytest.raises(AuthenticationError),
    ):
        stranger.get("lines")


def broker(settings: dict[str, str]) -> str:
    return settings["LOG_URL"].removeprefix("kafka://")


def new_topic(settings: dict[str, str], name: str) -> None:
    administrator = AdminClient({"bootstrap.servers": broker(settings)})
    (made,) = administrator.create_topics([NewTopic(name, num_partitions=1)]).values()
    made.result()


def append(settings: dict[str, str], topic: str, *values: bytes) -> None:
    """Append values, and wait until all of them are acknowledged."""
    failed = []
    producer = Producer({"bootstrap.servers": broker(settings), "enable.idempotence": True})
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: failed.append(error))
    assert producer.flush(30) == 0
    assert set(failed) == {None}


def read(settings: dict[str, str], topic: str, count: int) -> list[bytes]:
    """The next values of a topic for one group of consumers, which commits its progress."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker(settings),
            "group.id": topic,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    try:
        consumer.subscribe([topic])
        found = [message.value() for message in consumer.consume(count, timeout=30)]
        consumer.commit(asynchronous=False)
    finally:
        consumer.close()
    return found


def test_kafka_makes_no_topic_by_itself_and_keeps_progress(stack: Stack) -> None:
    administrator = AdminClient({"bootstrap.servers": broker(stack.settings)})
    asked = ConfigResource(ConfigResource.Type.BROKER, "1")
    settings = administrator.describe_configs([asked])[asked].result()
    assert settings["auto.create.topics.enable"].value == "false"
    assert int(settings["offsets.retention.minutes"].value) > 10 * 365 * 24 * 60


def test_kafka_commits_transactions(stack: Stack) -> None:
    new_topic(stack.settings, "transactions")
    producer = Producer({"bootstrap.servers": broker(stack.settings), "transactional.id": "one"})
    producer.init_transactions(30)
    for value, end in ((b"1", producer.abort_transaction), (b"2", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce("transactions", value)
        producer.flush(30)
        end(30)

    assert read(stack.settings, "transactions", 1) == [b"2"]


@workflow.defn
class Doubling:
    """A workflow that doubles a number."""

    @workflow.run
    async def run(self, number: int) -> int:
        return 2 * number


async def connected(settings: dict[str, str], namespace: str) -> Client:
    address = settings["WORKFLOWS_URL"].removeprefix("temporal://").partition("/")[0]
    return await Client.connect(address, namespace=namespace)


async def usable(settings: dict[str, str], namespace: str) -> Client:
    """A new namespace, as soon as all services know it."""
    client = await connected(settings, namespace)
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(
            namespace=namespace, workflow_execution_retention_period=Duration(seconds=86_400)
        )
    )
    deadline = time.monotonic() + 30
    while True:
        try:
            await client.count_workflows()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
        else:
            return client


async def started(settings: dict[str, str], name: str) -> None:
    """Start a workflow for which there is no worker yet."""
    client = await usable(settings, name)
    await client.start_workflow(Doubling.run, 21, id=name, task_queue=name)


async def finished(settings: dict[str, str], name: str) -> int:
    """Its result, with a worker."""
    client = await connected(settings, name)
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue=name, workflows=[Doubling], workflow_runner=runner):
        return await client.get_workflow_handle_for(Doubling.run, name).result()


def test_temporal_runs_a_workflow_in_a_new_namespace(stack: Stack) -> None:
    asyncio.run(started(stack.settings, "ran"))
    assert asyncio.run(finished(stack.settings, "ran")) == 42


def test_prometheus_sends_its_alerts_to_alertmanager(stack: Stack) -> None:
    asked = f"{stack.settings['PROMETHEUS_URL']}/api/v1/alertmanagers"
    deadline = time.monotonic() + 30  # it looks for its targets some seconds after its start
    while time.monotonic() < deadline:
        with urllib.request.urlopen(asked, timeout=5) as answer:
            if found := json.load(answer)["data"]["activeAlertmanagers"]:
                break
        time.sleep(0.2)
    assert found == [{"url": f"{stack.settings['ALERTMANAGER_URL']}/api/v2/alerts"}]


def test_killed_servers_come_back_with_what_they_held(stack: Stack) -> None:
    with psycopg.connect(stack.settings["DATABASE_URL"]) as owner:
        owner.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    bucket(stack.settings).put("kept", b"1000")
    with Redis.from_url(stack.settings["REDIS_URL"]) as cache:
        cache.set("kept", "1000")
    new_topic(stack.settings, "kept")
    append(stack.settings, "kept", b"read", b"unread")
    assert read(stack.settings, "kept", 1) == [b"read"]
    asyncio.run(started(stack.settings, "kept"))
    before = stack.settings
    busy = psycopg.connect(before["DATABASE_URL"], autocommit=True)
    busy.pgconn.send_query(b"SELECT count(*) FROM (SELECT generate_series(1, 1000000000)) AS n")

    stack.kill(*(server.name for server in SERVERS))
    assert set(stack.states().values()) == {"dead"}
    assert stack.command("status").returncode == 1
    stack.up()

    busy.close()
    assert stack.states() == {server.name: "running" for server in SERVERS}
    assert stack.settings == before
    with psycopg.connect(stack.settings["DATABASE_URL"]) as owner:
        assert owner.execute("SELECT sum(n) FROM kept").fetchone() == (500_500,)
        owner.execute("DROP TABLE kept")
    assert bucket(stack.settings).get("kept").bytes() == b"1000"
    with Redis.from_url(stack.settings["REDIS_URL"]) as cache:
        assert cache.get("kept") == b"1000"
    assert read(stack.settings, "kept", 1) == [b"unread"]
    assert asyncio.run(finished(stack.settings, "kept")) == 42
