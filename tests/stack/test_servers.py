"""What the servers promise to those who use them."""

import psycopg
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store
from redis import AuthenticationError, Redis

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


def test_killed_servers_come_back_with_what_they_held(stack: Stack) -> None:
    with psycopg.connect(stack.settings["DATABASE_URL"]) as owner:
        owner.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    bucket(stack.settings).put("kept", b"1000")
    with Redis.from_url(stack.settings["REDIS_URL"]) as cache:
        cache.set("kept", "1000")
    before = stack.settings
    busy = psycopg.connect(before["DATABASE_URL"], autocommit=True)
    busy.pgconn.send_query(b"SELECT count(*) FROM (SELECT generate_series(1, 1000000000)) AS n")

    for server in SERVERS:
        stack.kill(server.name)
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
