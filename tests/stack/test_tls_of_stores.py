"""PostgreSQL and Redis by TLS, with certificates made on the spot, and refused by a wrong one."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from cli_session import clearhouse, complaints
from redis import Redis
from structlog.testing import capture_logs

from clearhouse.cache.rate_limit import RateLimit
from clearhouse.cache.shared import SharedRedis
from clearhouse.core.errors import ServerError
from clearhouse.core.urls import SecretUrl
from clearhouse.engines.postgres import connection
from clearhouse.payments.store.database import open_store
from stack.certificates import Authority
from stack.commands import Stack, free_port
from stack.server import USER, Server

RUNS_AS = "postgres" if os.getuid() == 0 else None
"""The user of the stack's servers, where it is not that of the tests."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="clearhouse-tls-"))  # pytest's is closed to other users
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder, "ours")


@pytest.fixture(scope="module")
def another(folder: Path) -> Authority:
    return Authority(folder, "another")


@pytest.fixture
def encrypted(server: Server, authority: Authority) -> Iterator[Server]:
    """The stack's PostgreSQL while it takes TLS."""
    files = authority.sign("postgres", RUNS_AS)
    set_up(
        server,
        f"ALTER SYSTEM SET ssl_cert_file = '{files.certificate}'",
        f"ALTER SYSTEM SET ssl_key_file = '{files.key}'",
        "ALTER SYSTEM SET ssl = on",
    )
    yield server
    set_up(
        server, *(f"ALTER SYSTEM RESET {name}" for name in ("ssl", "ssl_cert_file", "ssl_key_file"))
    )


def set_up(server: Server, *statements: str) -> None:
    """Change the server's settings, and wait until new sessions have them."""
    server.databases.edit(server.url, *statements, "SELECT pg_reload_conf()")
    expected = ("on" if "ALTER SYSTEM SET ssl = on" in statements else "off",)
    deadline = time.monotonic() + 30
    while True:
        with psycopg.connect(server.url) as connection:
            if connection.execute("SHOW ssl").fetchone() == expected:
                return
        assert time.monotonic() < deadline, "the server has not taken its settings"
        time.sleep(0.05)


def by_tls(server: Server, database: str, authority: Path, **more: str) -> str:
    place = sa.make_url(server.url).set(database=database)
    tls = {"sslmode": "verify-full", "sslrootcert": str(authority), **more}
    return place.update_query_dict(tls).render_as_string(hide_password=False)


def test_the_store_is_used_by_tls_and_the_server_is_known(
    encrypted: Server, authority: Authority
) -> None:
    encrypted.database("by_tls")
    url = SecretUrl.parse(by_tls(encrypted, "by_tls", authority.file), ("postgresql",))
    with closing(open_store(url)) as store, store.reading() as connection:
        said = sa.text("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl")
        assert connection.scalar(said) in ("TLSv1.2", "TLSv1.3")


def test_a_server_that_another_authority_has_signed_is_refused_in_one_sentence(
    encrypted: Server, another: Authority, tmp_path: Path
) -> None:
    url = by_tls(encrypted, "postgres", another.file)
    answer = clearhouse(tmp_path, "books", DATABASE_URL=url, CLEARHOUSE_HOME=str(tmp_path / "h"))
    (line,) = complaints(answer)
    assert line == (
        f"server_failed: The store postgresql://127.0.0.1:{encrypted.port}/postgres has a "
        "certificate that the authority in sslrootcert did not sign: correct DATABASE_URL, or see "
        "who answers there."
    )
    for secret in (encrypted.password, USER):
        assert secret not in answer.stdout + answer.stderr


def test_the_engine_is_refused_by_the_same_sentence(
    encrypted: Server, authority: Authority, another: Authority
) -> None:
    right, wrong = (
        SecretUrl.parse(by_tls(encrypted, "postgres", each.file), ("postgresql",))
        for each in (authority, another)
    )
    with connection.said_plainly(right), connection.opened(right) as session:
        assert session.execute(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).fetchone() == (True,)
    with pytest.raises(ServerError, match="did not sign"), connection.said_plainly(wrong):
        connection.opened(wrong)


def test_the_certificate_of_another_host_is_refused(
    encrypted: Server, authority: Authority
) -> None:
    url = by_tls(encrypted, "postgres", authority.file, hostaddr="127.0.0.1")
    with pytest.raises(ServerError, match="has the certificate of another host"):
        open_store(SecretUrl.parse(url.replace("@127.0.0.1", "@db.example"), ("postgresql",)))


def test_without_the_file_of_the_authority_the_setting_is_named(
    encrypted: Server, folder: Path
) -> None:
    url = SecretUrl.parse(by_tls(encrypted, "postgres", folder / "none.crt"), ("postgresql",))
    with pytest.raises(ServerError, match="sslrootcert in PAYMENTS_DATABASE_URL names can't be"):
        open_store(url)


def test_who_asks_for_tls_of_a_server_without_it_is_told_so(
    server: Server, authority: Authority
) -> None:
    url = SecretUrl.parse(by_tls(server, "postgres", authority.file), ("postgresql",))
    with pytest.raises(ServerError, match="takes no TLS, which sslmode in PAYMENTS_DATABASE_URL"):
        open_store(url)


@pytest.fixture(scope="module")
def redis_by_tls(stack: Stack, authority: Authority) -> Iterator[str]:
    """The stack's Redis while it takes TLS at a port of its own; the URL without an authority."""
    files = authority.sign("redis", RUNS_AS)
    port = free_port()
    url = stack.settings["REDIS_URL"]
    with Redis.from_url(url) as admin:
        admin.config_set("tls-auth-clients", "no")
        admin.config_set("tls-ca-cert-file", str(authority.file))
        admin.execute_command(
            "CONFIG", "SET", "tls-cert-file", str(files.certificate),
            "tls-key-file", str(files.key), "tls-port", port,
        )  # fmt: skip
        yield url.replace("redis://", "rediss://").replace(url.rpartition(":")[2], f"{port}/0")
        admin.config_set("tls-port", 0)


def test_processes_count_together_by_tls(redis_by_tls: str, authority: Authority) -> None:
    url = f"{redis_by_tls}?ssl_ca_certs={authority.file}"
    first, second = (RateLimit(SharedRedis(url), "by-tls", 12) for _ in range(2))
    assert [each.wait_seconds("one") for each in (first, second)] == [0.0, 0.0]
    assert first.wait_seconds("one") > 0
    assert second.wait_seconds("one") > 0
    assert first.may_block


def test_a_redis_that_another_authority_has_signed_is_not_used_and_the_log_says_why(
    redis_by_tls: str, another: Authority
) -> None:
    limit = RateLimit(SharedRedis(f"{redis_by_tls}?ssl_ca_certs={another.file}"), "by-tls", 12)
    with capture_logs() as told:
        assert [limit.wait_seconds("another") for _ in range(2)] == [0.0, 0.0]
        assert limit.wait_seconds("another") > 0
    assert not limit.may_block
    assert [each["reason"] for each in told] == [
        "its certificate is not one that ssl_ca_certs in REDIS_URL signs for that host"
    ]
