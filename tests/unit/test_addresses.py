"""Where the product's own servers listen unless they are told otherwise: on this machine alone."""

import ipaddress
from collections.abc import Iterator

import typer.main
from typer.core import TyperGroup

from clearhouse.cli.commands import build
from clearhouse.payments.services import Places, services

SERVERS = {
    "exporter", "gl serve", "serve gateway", "serve inference", "serve normalizer",
    "serve payments", "serve worker",
}  # fmt: skip
"""Commands that listen at an address; more may be added."""
ON_LOOPBACK_ALONE = {"sandbox serve"}
"""Those that take no address: the sandbox's own server listens at 127.0.0.1."""


def commands(group: TyperGroup, before: str = "") -> Iterator[tuple[str, typer.core.TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def all_commands() -> dict[str, typer.core.TyperCommand]:
    root = typer.main.get_command(build())
    assert isinstance(root, TyperGroup)
    return dict(commands(root))


def test_every_server_listens_on_loopback_unless_told_otherwise() -> None:
    found = all_commands()
    at = {
        name: option.default
        for name, command in found.items()
        for option in command.params
        if option.name == "host"
    }
    assert at.keys() >= SERVERS
    assert [name for name, host in at.items() if not ipaddress.ip_address(host).is_loopback] == []
    serving = {name for name in found if name.startswith("serve ") or name.endswith(" serve")}
    assert serving <= at.keys() | ON_LOOPBACK_ALONE


def test_the_services_under_a_supervisor_do_too() -> None:
    for service in services(Places(), {}, has_starter=True):
        if "--host" in service.command:
            assert service.command[service.command.index("--host") + 1] == "127.0.0.1"
    assert Places().gateway_url.startswith("http://127.0.0.1:")
