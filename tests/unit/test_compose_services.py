"""The services of the Compose file are the program's own, confined, and set up as it reads it."""

import re
import shlex
import subprocess
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import typer
import yaml

from clearhouse.cli.commands import build
from clearhouse.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "compose"
SERVERS: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
SERVICES: dict[str, Any] = yaml.safe_load((FOLDER / "services.yaml").read_text())["services"]
RUNNING = [name for name in SERVICES if name != "prepare"]
DOCKERFILE = (ROOT / "deploy" / "image" / "Dockerfile").read_text()
PASSWORD = "a0b1"


def interpolated(text: object) -> str:
    """As Compose makes it where what is demanded is set, and nothing else."""
    asked = r"\$\{[A-Z0-9_]+(?::([-?])([^}]*))?\}"
    return re.sub(asked, lambda found: found[2] if found[1] == "-" else PASSWORD, str(text))


def command_of(name: str) -> list[str]:
    command = SERVICES[name]["command"]
    if isinstance(command, str):
        return shlex.split(interpolated(command))
    return [interpolated(word) for word in command]


def parameters(words: list[str]) -> dict[str, Any]:
    """What the command line makes of the words; it ends where there is no such command."""
    command = typer.main.get_command(build(words[0]))
    context = command.make_context("clearhouse", list(words))
    rest = list(words)
    while hasattr(command, "resolve_command"):
        _, found, rest = command.resolve_command(context, rest)
        assert found is not None
        context = found.make_context(found.name, list(rest), parent=context)
        command = found
    return dict(context.params)


def test_they_are_the_whole_pipeline() -> None:
    assert set(SERVICES) == {
        "prepare", "inference", "worker", "starter", "normalizer", "gateway", "exporter",
    }  # fmt: skip


@pytest.mark.parametrize("name", RUNNING)
def test_each_runs_a_command_that_exists_and_is_asked_for_health_where_it_listens(
    name: str,
) -> None:
    taken = parameters(command_of(name))
    assert taken["host"] == "0.0.0.0"
    health = re.fullmatch(
        r"http://127\.0\.0\.1:(\d+)/(health/ready|metrics)",
        SERVICES[name]["environment"]["HEALTH_URL"],
    )
    assert health is not None
    assert int(health[1]) == taken["port"]
    check = SERVICES[name]["healthcheck"]
    assert f"COPY deploy/image/healthy.py {check['test'][-1]}\n" in DOCKERFILE
    assert {"interval", "timeout", "retries", "start_period"} <= check.keys()


def test_what_they_need_is_made_before_them_by_a_command_that_exists() -> None:
    parameters(command_of("prepare"))
    for name in set(RUNNING) - {"inference"}:  # which needs nothing but itself
        condition = SERVICES[name]["depends_on"]["prepare"]["condition"]
        assert condition == "service_completed_successfully"


@pytest.mark.parametrize("name", SERVICES)
def test_each_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert f"\nUSER {service['user']}\n" in DOCKERFILE
    assert service["read_only"] is True
    assert [mount.partition(":")[0] for mount in service["tmpfs"]] == ["/tmp"]
    assert "volumes" not in service
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys()
    limits = service["deploy"]["resources"]["limits"]
    assert {"cpus", "memory", "pids"} <= limits.keys()
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_each_waits_for_what_says_how_it_is(name: str) -> None:
    known = SERVERS | SERVICES
    for needed, wait in SERVICES[name].get("depends_on", {}).items():
        if wait["condition"] == "service_healthy":
            assert known[needed]["healthcheck"]["test"]
        else:
            assert needed in known


@pytest.mark.parametrize("name", SERVICES)
def test_each_is_told_settings_that_it_reads_and_that_go_together(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {
        variable: interpolated(value)
        for variable, value in SERVICES[name]["environment"].items()
        if variable != "HEALTH_URL" and not variable.startswith("AWS_")
    }
    assert environment.keys() <= {field.upper() for field in Settings.model_fields}
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)  # where no .env is

    settings = load_settings()

    assert str(settings.clearhouse_home).startswith("/tmp/")


def test_the_door_to_the_internet_has_no_password_of_a_store() -> None:
    assert PASSWORD not in map(interpolated, SERVICES["gateway"]["environment"].values())
    for variable, value in SERVICES["gateway"]["environment"].items():
        assert PASSWORD not in interpolated(value), variable


def test_the_example_names_everything_that_has_to_be_set() -> None:
    demanded = set()
    for file in ("compose.yaml", "services.yaml"):
        demanded |= set(re.findall(r"\$\{([A-Z0-9_]+):\?", (FOLDER / file).read_text()))
    example = (FOLDER / "env.example").read_text()
    assert demanded
    assert demanded <= set(re.findall(r"^([A-Z0-9_]+)=", example, re.MULTILINE))


def test_prometheus_finds_them_where_they_listen() -> None:
    example = (FOLDER / "env.example").read_text()
    for name in RUNNING:
        port = parameters(command_of(name))["port"]
        assert f"\nSTACK_{name.upper()}_TARGETS={name}:{port}\n" in example


@pytest.mark.parametrize(
    ("status", "code"), [(HTTPStatus.OK, 0), (HTTPStatus.SERVICE_UNAVAILABLE, 1)]
)
def test_a_container_is_well_where_its_service_says_so(status: HTTPStatus, code: int) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/health/ready"
        asked = subprocess.run(
            [sys.executable, ROOT / "deploy" / "image" / "healthy.py"],
            env={"HEALTH_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert asked.returncode == code
    assert asked.stderr == ("" if code == 0 else f"{url}: HTTP Error 503: Service Unavailable\n")


def test_the_image_is_made_of_what_it_may_see_by_the_uv_of_the_makefile() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert all((ROOT / source).exists() for source in sources)
    seen = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert sources == set(seen)
    makefile = re.search(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert makefile is not None
    assert f"\nARG UV_VERSION={makefile[1]}\n" in DOCKERFILE
