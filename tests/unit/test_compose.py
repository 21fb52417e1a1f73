"""The Compose file offers the servers that the native stack starts."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.native.servers import SERVERS, s3

COMPOSE = yaml.safe_load(
    (Path(__file__).parents[2] / "deploy" / "compose" / "compose.yaml").read_text()
)
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_it_has_the_same_servers_on_the_same_ports_of_loopback() -> None:
    published = {name: service["ports"][0].rpartition(":")[0] for name, service in SERVICES.items()}
    assert published == {
        server.name: f"127.0.0.1:${{STACK_{server.name.upper()}_PORT:-{server.default_port}}}"
        for server in SERVERS
    }
    assert all(len(service["ports"]) == 1 for service in SERVICES.values())


def test_the_store_is_the_same_version() -> None:
    assert SERVICES["s3"]["image"].rpartition(":")[2] == s3.VERSION


@pytest.mark.parametrize("name", SERVICES)
def test_each_is_pinned_checks_its_health_keeps_its_data_and_demands_its_secrets(name: str) -> None:
    service = SERVICES[name]
    assert any(digit.isdecimal() for digit in service["image"].rpartition(":")[2])
    assert service["healthcheck"]["test"]
    assert {volume.partition(":")[0] for volume in service["volumes"]} <= COMPOSE["volumes"].keys()
    secrets = [
        text
        for variable, text in service["environment"].items()
        if variable.endswith(("PASSWORD", "KEY", "KEY_ID"))
    ]
    assert len(secrets) == 2
    assert all(":?" in text for text in secrets)
