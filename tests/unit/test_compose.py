"""The Compose file offers the servers that the native stack starts, and Grafana."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.native.servers import SERVERS, alertmanager, kafka, prometheus, redis, s3, temporal

FOLDER = Path(__file__).parents[2] / "deploy" / "compose"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
SECRETS = {"postgres": 3, "s3": 2, "redis": 1, "temporal": 1, "grafana": 1}


def test_it_has_the_same_servers_on_the_same_ports_of_loopback() -> None:
    published = {name: service["ports"][0].rpartition(":")[0] for name, service in SERVICES.items()}
    assert published.pop("grafana") == "127.0.0.1:${STACK_GRAFANA_PORT:-13000}"
    assert published == {
        server.name: f"127.0.0.1:${{STACK_{server.name.upper()}_PORT:-{server.default_port}}}"
        for server in SERVERS
    }
    assert all(len(service["ports"]) == 1 for service in SERVICES.values())


def test_what_is_fetched_for_the_native_stack_is_the_same_version_here() -> None:
    tags = {name: service["image"].rpartition(":")[2] for name, service in SERVICES.items()}
    assert tags["s3"] == s3.VERSION
    assert tags["redis"] == f"{redis.VERSION}-alpine"
    assert tags["kafka"] == kafka.VERSION
    assert tags["temporal"] == temporal.VERSION.removeprefix("v")
    assert tags["alertmanager"] == alertmanager.VERSION
    assert tags["prometheus"] == f"v{prometheus.VERSION}"


def test_kafka_has_the_same_settings() -> None:
    environment = SERVICES["kafka"]["environment"]
    for name, value in kafka.SETTINGS.items():
        if name != "listener.security.protocol.map":  # there is a listener for containers too
            assert str(environment[f"KAFKA_{name.upper().replace('.', '_')}"]) == value, name


def test_prometheus_scrapes_the_same_ports_and_can_be_told_others() -> None:
    for name, default in prometheus.TARGETS.items():
        port = default.rpartition(":")[2]
        variable = f"${{STACK_{name.upper()}_TARGETS:-host.docker.internal:{port}}}"
        assert variable in COMPOSE["configs"][f"{name}-targets"]["content"]
        mounted = {each["target"] for each in SERVICES["prometheus"]["configs"]}
        assert f"/etc/prometheus/targets/{name}.yml" in mounted


def test_prometheus_scrapes_temporal_where_it_tells_of_itself() -> None:
    port = SERVICES["temporal"]["environment"]["PROMETHEUS_ENDPOINT"].removeprefix("0.0.0.0:")
    (group,) = yaml.safe_load(COMPOSE["configs"]["temporal-targets"]["content"])
    assert group == {"targets": [f"temporal:{port}"]}
    mounted = {each["source"]: each["target"] for each in SERVICES["prometheus"]["configs"]}
    assert mounted["temporal-targets"] == "/etc/prometheus/targets/temporal.yml"


@pytest.mark.parametrize("name", SERVICES)
def test_each_is_pinned_checks_its_health_keeps_its_data_and_demands_its_secrets(name: str) -> None:
    service = SERVICES[name]
    assert any(digit.isdecimal() for digit in service["image"].rpartition(":")[2])
    assert service["healthcheck"]["test"]
    mounted = [volume.split(":") for volume in service.get("volumes", [])]
    files = [each for each in mounted if each[0].startswith(".")]
    assert all((FOLDER / each[0]).exists() and each[2] == "ro" for each in files)
    kept = {each[0] for each in mounted if each not in files}
    assert kept or "postgres" in service["depends_on"]  # which keeps it
    assert kept <= COMPOSE["volumes"].keys()
    secrets = [
        text
        for variable, text in service.get("environment", {}).items()
        if variable.endswith(("PASSWORD", "PWD", "KEY", "KEY_ID"))
    ]
    assert len(secrets) == SECRETS.get(name, 0)
    assert all(":?" in text for text in secrets)
