"""`payments acls`: what an administrator of Kafka has to allow each service."""

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from clearhouse.cli.app import settings_of_stores
from clearhouse.cli.options import JsonFlag
from clearhouse.core.errors import UsageError

if TYPE_CHECKING:
    from clearhouse.log.kafka.connection import Connection
    from clearhouse.payments.rights import Right

_ROLE = "{role}"


def acls(
    principal: Annotated[
        str,
        typer.Option(
            metavar="TEXT", help="How Kafka names the user of a role; {role} is its name."
        ),
    ] = f"User:{_ROLE}",
    as_json: JsonFlag = False,
) -> None:
    """Print the commands by which Kafka allows each role what it needs, and no more.

    They are for an administrator: nothing is changed here, and no server is asked.
    """
    from clearhouse.log.opening import is_on_kafka
    from clearhouse.payments.log_opening import log_place
    from clearhouse.payments.rights import rights

    if _ROLE not in principal:
        raise UsageError("--principal needs {role}, as in User:payments-{role}.", "bad_principal")
    config = settings_of_stores()
    place = log_place(config)
    if not is_on_kafka(place):
        raise UsageError("LOG_URL names no Kafka: a log in a file has no rights.", "not_on_kafka")
    from clearhouse.log.kafka.connection import Connection

    connection = Connection(place)
    roles = rights(has_workflows=config.has_workflow_server)
    named = {role: (principal.replace(_ROLE, role), needed) for role, needed in roles.items()}
    if as_json:
        print(json.dumps([_as_json(r, p, n, connection) for r, (p, n) in named.items()]))
        return
    for role, (user, needed) in named.items():
        print(f"# {role}")
        for command in _commands(user, needed, connection):
            print(command)


def _commands(user: str, needed: "Sequence[Right]", connection: "Connection") -> Iterator[str]:
    from clearhouse.payments.rights import by_commands

    for (operations, is_prefix), rights in by_commands(needed).items():
        words = ["kafka-acls.sh", "--bootstrap-server", connection.servers]
        words += ["--command-config", "admin.properties", "--add", "--allow-principal", user]
        for operation in operations:
            words += ["--operation", operation]
        if is_prefix:
            words += ["--resource-pattern-type", "prefixed"]
        for right in rights:
            kind, name = _on_server(right, connection)
            words += [f"--{kind}", name]
        yield shlex.join(words)


def _as_json(
    role: str, user: str, needed: "Sequence[Right]", connection: "Connection"
) -> dict[str, object]:
    allowed = []
    for right in needed:
        kind, name = _on_server(right, connection)
        pattern = "prefixed" if right.is_prefix else "literal"
        allowed.append(
            {"resource": kind, "name": name, "pattern": pattern, "operations": right.operations}
        )
    return {"role": role, "principal": user, "allow": allowed}


def _on_server(right: "Right", connection: "Connection") -> tuple[str, str]:
    """The kind and the name of a resource as Kafka has it."""
    names = connection.names
    if right.resource == "source":
        return "topic", names.of_source(right.name)
    return right.resource, names.of(right.name)
