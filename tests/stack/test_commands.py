"""The commands: what they start, what they stop, what they say."""

import json
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from deploy.native.servers import SERVERS, chosen
from stack.commands import Stack, own_ports

LISTEN = "0A"
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F"}  # 127.0.0.1, and as an IPv6 address


def addresses_of(pid: int) -> list[str]:
    """Where a process accepts connections of TCP, as /proc writes addresses."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            sockets.add(str(descriptor.readlink()))
    tables = (Path(f"/proc/{pid}/net/{name}").read_text() for name in ("tcp", "tcp6"))
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    return [
        row[1].partition(":")[0]
        for row in rows
        if row[3] == LISTEN and f"socket:[{row[9]}]" in sockets
    ]


@pytest.fixture
def other(stack: Stack) -> Iterator[Stack]:
    """A second stack, as another checkout has it, which chooses its ports by itself."""
    second = Stack("s3", "postgres")
    try:
        yield second
    finally:
        second.remove()


def test_up_again_changes_nothing(stack: Stack) -> None:
    before, settings = stack.status(), stack.settings

    said = stack.up()

    assert said.count("runs already") == len(before) == len(SERVERS)
    assert stack.status() == before
    assert stack.settings == settings


def test_secrets_are_in_private_files_and_not_on_the_screen(stack: Stack) -> None:
    said = stack.up()

    files = [stack.home / "env", *stack.home.glob("*/*.secret")]
    assert len(files) == 7
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    secrets = set()
    for name in ("DATABASE_URL", "POSTGRES_ADMIN_URL", "AWS_SECRET_ACCESS_KEY", "REDIS_URL"):
        secret = stack.settings[name].partition("@")[0].rpartition(":")[2]
        assert len(secret) == 40
        assert secret not in said
        secrets.add(secret)
    secrets.add((stack.home / "temporal" / "password.secret").read_text())
    assert len(secrets) == 5
    settings = [file for file in stack.home.glob("*/*") if file.suffix in (".conf", ".yaml")]
    holders = [file for file in settings if any(each in file.read_text() for each in secrets)]
    assert {file.name for file in holders} == {"redis.conf", "server.yaml"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in holders} == {0o600}
    for _, _, pid in stack.status().values():
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        assert not any(secret in arguments for secret in secrets)


def test_all_servers_listen_on_loopback_alone(stack: Stack) -> None:
    for name, (_, _, pid) in stack.status().items():
        addresses = addresses_of(pid)
        assert addresses, name
        assert set(addresses) <= LOOPBACK, name


def test_no_server_runs_as_root(stack: Stack) -> None:
    for _, _, pid in stack.status().values():
        assert Path(f"/proc/{pid}").stat().st_uid != 0


def test_two_stacks_side_by_side_have_ports_and_data_of_their_own(
    stack: Stack, other: Stack
) -> None:
    own = chosen(other.variables["STACK_SERVERS"])
    with ExitStack() as held:
        for server in own:
            with suppress(OSError):  # it is in use already, perhaps by a stack
                held.enter_context(socket.create_server(("127.0.0.1", server.default_port)))
        other.up()
    ports = {name: port for name, (_, port, _) in other.status().items()}
    assert list(ports) == [server.name for server in own]
    assert all(ports[server.name] > server.default_port for server in own)
    assert other.settings["AWS_SECRET_ACCESS_KEY"] != stack.settings["AWS_SECRET_ACCESS_KEY"]

    other.command("down")

    assert other.states() == {}
    assert set(stack.states().values()) == {"running"}
    other.up()
    assert {name: port for name, (_, port, _) in other.status().items()} == ports


def test_a_port_in_use_is_said_in_one_sentence(stack: Stack) -> None:
    taken = stack.status()["postgres"][1]
    unlucky = Stack("postgres", **own_ports() | {"STACK_POSTGRES_PORT": str(taken)})
    try:
        done = unlucky.command("up")
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == (
            f"postgres can't start: port {taken} is in use; set STACK_POSTGRES_PORT to another one."
        )
        assert stack.states()["postgres"] == "running"
    finally:
        unlucky.remove()


def test_a_server_that_dies_at_its_start_names_its_log(other: Stack) -> None:
    other.up()
    other.command("down")
    (other.home / "postgres" / "data" / "PG_VERSION").write_text("9.6\n")

    done = other.command("up")

    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("postgres did not start (it ended at once): ")
    assert "9.6" in last
    assert last.endswith(f"its log is {other.home}/postgres/log.")


def test_down_leaves_a_process_alone_that_only_has_the_pid(other: Stack) -> None:
    other.up()
    other.kill("s3")
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        path = other.home / "s3" / "process.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"pid": stranger.pid}))

        assert other.states()["s3"] == "dead"
        other.command("down")

        assert stranger.poll() is None
        assert other.states() == {}
    finally:
        stranger.send_signal(signal.SIGKILL)
        stranger.wait()
