"""`payments acls`: what each role is to be allowed at Kafka, printed without asking a server."""

import json
from pathlib import Path

import pytest
from cli_session import command

from clearhouse.core.errors import UsageError

ON_KAFKA = {"LOG_URL": "kafka://nowhere:9092/prefix"}
ON_TEMPORAL = {
    **ON_KAFKA,
    "WORKFLOWS_URL": "temporal://nowhere:7233",
    "PAYMENTS_DATABASE_URL": "postgresql://user:secret@nowhere/payments",
}


def acls(home: Path, *options: str, **environment: str) -> str:
    answer = command(home, "payments", "acls", *options, **environment)
    if answer.exception is not None:
        raise answer.exception
    return answer.stdout


def test_the_gateway_may_write_webhooks_and_read_no_topic_that_holds_messages(
    tmp_path: Path,
) -> None:
    roles = {each["role"]: each for each in json.loads(acls(tmp_path, "--json", **ON_TEMPORAL))}
    of_gateway = {
        (operation, each["name"])
        for each in roles["gateway"]["allow"]
        if each["resource"] == "topic"
        for operation in each["operations"]
    }
    assert ("Write", "prefix.payments.webhooks") in of_gateway
    assert {name for operation, name in of_gateway if operation == "Read"} == {
        "prefix.progress.gateway-check"
    }
    assert roles.keys() >= {"normalizer", "starter", "worker", "batch", "prepare"}


def test_without_a_workflow_server_there_is_no_starter(tmp_path: Path) -> None:
    printed = acls(tmp_path, "--principal", "User:pay-{role}", **ON_KAFKA)
    assert "User:pay-worker " in printed
    assert "User:pay-starter " not in printed


@pytest.mark.parametrize(
    ("options", "environment", "code"),
    [
        ((), {}, "not_on_kafka"),
        (("--principal", "User:one"), ON_KAFKA, "bad_principal"),
    ],
)
def test_what_it_can_not_print_is_told(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str], code: str
) -> None:
    with pytest.raises(UsageError) as refused:
        acls(tmp_path, *options, **environment)
    assert refused.value.code == code
