"""Temporal by TLS, with certificates made on the spot: who trusts whom."""

import asyncio
import datetime as dt
import json
import subprocess
import time
from contextlib import contextmanager

import pytest

from clearhouse.core.errors import SettingsError
from clearhouse.workflows.temporal import TemporalPlace, WorkflowsError, enter
from clearhouse.workflows.temporal_preparing import prepare_namespace
from stack.certificates import Authority
from stack.commands import Stack, own_ports

SOON_SECONDS = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def ours(folder):
    return Authority(folder, "ours")


@pytest.fixture(scope="module")
def address(folder, ours):
    """A Temporal that speaks TLS alone, and asks its clients for their certificates."""
    stack = Stack("postgres", "temporal", **own_ports())
    try:
        stack.up()
        place = stack.settings["WORKFLOWS_URL"].partition("://")[2].partition("/")[0]
        stack.kill("temporal")
        with encrypted(stack, folder, ours):
            until_it_answers(TemporalPlace(f"temporal+tls://{place}/new", *of_client(ours)))
            yield place
    finally:
        stack.remove()


@contextmanager
def encrypted(stack, folder, authority):
    """The stack's server, started again with certificates in its settings."""
    home = stack.home / "temporal"
    settings = json.loads((home / "server.yaml").read_text())
    signed = authority.sign("temporal")
    files = {"certFile": str(signed.certificate), "keyFile": str(signed.key)}
    trusts = {"serverName": "localhost", "rootCaFiles": [str(authority.file)]}
    settings["global"]["tls"] = {
        "frontend": {
            "server": {
                **files, "requireClientAuth": True, "clientCaFiles": [str(authority.file)],
            },
            "client": trusts,
        },
        "systemWorker": {**files, "client": trusts},
    }  # fmt: skip
    (folder / "server.yaml").write_text(json.dumps(settings))
    (program,) = home.glob("temporal-*/server")
    process = subprocess.Popen(
        [program, "--root", "/", "--config", folder, "--env", "server", "--allow-no-auth", "start"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(SOON_SECONDS)


def of_client(authority):
    """What a client is told: whom it trusts, and who it is."""
    signed = authority.sign("client")
    return authority.file, signed.certificate, signed.key


def prepare(place):
    return asyncio.run(prepare_namespace(place, dt.timedelta(days=1), ["PaymentId"]))


def until_it_answers(place):
    give_up_at = time.monotonic() + SOON_SECONDS
    while True:
        try:
            prepare(place)
        except WorkflowsError:
            assert time.monotonic() < give_up_at
            time.sleep(0.5)
        else:
            return


def refusal(place):
    with pytest.raises(WorkflowsError) as caught:
        asyncio.run(enter(place))
    return caught.value


def test_who_trusts_and_is_trusted_gets_in(address, ours):
    place = TemporalPlace(f"temporal+tls://{address}/new", *of_client(ours))
    assert asyncio.run(enter(place)).namespace == "new"
    assert prepare(place) == []


def test_a_server_of_another_authority_is_not_trusted(address, ours, folder):
    _, certificate, key = of_client(ours)
    another = Authority(folder, "another")
    told = refusal(TemporalPlace(f"temporal+tls://{address}/new", another.file, certificate, key))
    assert told.code == "workflows_not_trusted"
    assert told.message.startswith(f"Temporal at {address} and this client do not trust")
    assert "TEMPORAL_CA_FILE" in told.message


def test_a_client_of_another_authority_or_of_none_is_not_let_in(address, ours, folder):
    stranger = Authority(folder, "stranger")
    _, certificate, key = of_client(stranger)
    url = f"temporal+tls://{address}/new"
    for place in (TemporalPlace(url, ours.file, certificate, key), TemporalPlace(url, ours.file)):
        told = refusal(place)
        # The server ends the connection, and does not always say why before it does.
        assert told.code in ("workflows_not_trusted", "workflows_unreachable")
        assert "TEMPORAL_CERT_FILE" in told.message
        assert str(folder) not in told.message


def test_a_client_without_tls_is_told_of_it(address):
    told = refusal(TemporalPlace(f"temporal://{address}/new"))
    assert told.code == "workflows_unreachable"
    assert "temporal+tls://" in told.message


def test_a_certificate_that_can_not_be_read_is_a_setting_to_correct(folder):
    place = TemporalPlace("temporal+tls://127.0.0.1:1/new", folder / "missing.crt")
    with pytest.raises(SettingsError, match=r"TEMPORAL_CA_FILE names a file that can't be read"):
        asyncio.run(enter(place))
