"""Where the native stack has its programs from, which servers it has, and what these are told."""

import json
from pathlib import Path

import pytest

from deploy.native.place import Place, StackError
from deploy.native.servers import SERVERS, chosen
from deploy.native.servers.kafka import Kafka
from deploy.native.servers.prometheus import CONFIGURATION, Prometheus
from deploy.native.servers.redis import Redis


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs: the only one that the machine has."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "prometheus"
    folder.mkdir()
    alertmanager = Place(tmp_path / "alertmanager", 19193, tmp_path, {})
    return Place(folder, 1, tmp_path, {}, {"alertmanager": alertmanager})


def put(folder: Path, says: str, *programs: str) -> None:
    for program in programs:
        (folder / program).write_text(f"#!/bin/sh\necho '{says}'\n")
        (folder / program).chmod(0o755)


def test_the_machines_own_programs_come_first(machine: Path) -> None:
    put(machine, "Redis server v=7.2.4 sha=00000000:0 bits=64", "redis-server", "redis-cli")
    put(machine, "prometheus, version 3.1.0 (branch: HEAD)", "prometheus", "promtool")

    assert (Redis().install().programs, Redis().install().version) == (machine, "7.2.4")
    assert (Prometheus().install().programs, Prometheus().install().version) == (machine, "3.1.0")


def test_old_ones_and_half_of_them_are_of_no_use(machine: Path) -> None:
    put(machine, "Redis server v=6.0.16 sha=00000000:0 bits=64", "redis-server", "redis-cli")
    put(machine, "prometheus, version 3.1.0 (branch: HEAD)", "prometheus")

    with pytest.raises(StackError, match=r"^redis-server is missing: install version 7\.0 "):
        Redis().install()
    with pytest.raises(StackError, match=r"or newer, with prometheus, promtool\.$"):
        Prometheus().install()


def test_kafka_says_what_is_missing_on_the_machine(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(StackError, match=r"^Java is missing or too old: install Java 17 or newer"):
        Kafka().install()

    (machine / "java").write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    (machine / "java").chmod(0o755)
    with pytest.raises(StackError, match=r"^Java is missing or too old"):
        Kafka().install()

    (machine / "java").write_text("#!/bin/sh\necho 'openjdk version \"17.0.15\"' >&2\n")
    with pytest.raises(StackError, match=r"^Maven is missing: install Maven 3"):
        Kafka().install()


def test_a_stack_has_the_servers_that_are_chosen_and_those_they_need() -> None:
    def names(text: str) -> list[str]:
        return [server.name for server in chosen(text)]

    assert chosen("") == SERVERS
    assert names("s3, redis") == ["s3", "redis"]
    assert names("temporal") == ["postgres", "temporal"]
    assert names("prometheus") == ["alertmanager", "prometheus"]
    with pytest.raises(StackError, match=r"there is no server minio; there are postgres, s3,"):
        chosen("s3,minio")


def test_prometheus_has_the_rules_of_the_checkout_and_the_targets_that_are_set(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def targets(name: str) -> list[str]:
        (group,) = json.loads((place.folder / "etc" / "targets" / f"{name}.yml").read_text())
        return group["targets"]

    monkeypatch.setenv("STACK_GL_TARGETS", "127.0.0.1:8001,127.0.0.1:8002")
    monkeypatch.setenv("STACK_STARTER_TARGETS", "none")
    Prometheus().prepare(place)
    assert targets("gl") == ["127.0.0.1:8001", "127.0.0.1:8002"]
    assert targets("starter") == []
    assert targets("exporter") == ["127.0.0.1:19100"]
    assert targets("alertmanager") == ["127.0.0.1:19193"]
    assert targets("temporal") == []

    monkeypatch.delenv("STACK_GL_TARGETS")
    (place.folder / "etc" / "rules" / "of-before.yml").write_text("groups: []\n")
    Prometheus().prepare(place)

    assert targets("gl") == ["127.0.0.1:8000"]
    copied = {file.name: file.read_text() for file in (place.folder / "etc" / "rules").iterdir()}
    rules = {file.name: file.read_text() for file in (CONFIGURATION / "rules").iterdir()}
    assert copied == rules


@pytest.mark.parametrize("text", ["8000", "http://127.0.0.1:8000", "a:1, b:2", "a:1]}, {x: [y"])
def test_targets_that_are_none_are_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("STACK_GL_TARGETS", text)
    with pytest.raises(StackError, match=r"^STACK_GL_TARGETS="):
        Prometheus().prepare(place)
