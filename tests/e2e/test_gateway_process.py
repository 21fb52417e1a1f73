"""The gateway as a process: what it has answered is in the log, however it ends."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
import schemathesis
from hostile_webhooks import real_deliveries
from hypothesis import HealthCheck, Phase, given, settings

from clearhouse.log.opening import LogPlace
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.topics import WEBHOOKS
from clearhouse.payments.webhook import decode_webhook
from clearhouse.sandbox.payments import accounts, signing


@pytest.fixture
def gateway(tmp_path):
    """A gateway of the sandbox's accounts: its process and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "CLEARHOUSE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "clearhouse", "serve", "gateway", "--sandbox"]
    child = subprocess.Popen([*command, "--port", str(port)], env=environment, cwd=tmp_path)
    try:
        _wait_until_ready(child, port)
        yield child, port
    finally:
        child.kill()
        child.wait()


def _wait_until_ready(child, port):
    for _ in range(600):
        assert child.poll() is None, "it has ended"
        try:
            if _ask(http.client.HTTPConnection("127.0.0.1", port), "GET", "/health/ready") == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("it is not ready")


def _ask(connection, *request):
    connection.request(*request)
    answer = connection.getresponse()
    answer.read()
    return answer.status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_answered_is_in_the_log_after_a_signal_under_load(gateway, tmp_path, number):
    child, port = gateway
    answered, may_stop = [], threading.Event()

    def send(first):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for n in range(first, 100_000, 4):
            body = b'{"id":"evt_%d","type":"charge.succeeded"}' % n
            headers = signing.stripe(body, [accounts.STRIPE_SNAPSHOTS], int(time.time()))
            try:
                status = _ask(connection, "POST", "/webhooks/stripe", body, headers)
            except (OSError, http.client.HTTPException):
                return
            assert status == 200
            answered.append(body.decode())
            if len(answered) > 100:
                may_stop.set()

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    assert may_stop.wait(60)
    child.send_signal(number)
    for thread in threads:
        thread.join()
    child.wait(30)

    log = open_payment_log(LogPlace(f"sqlite:///{tmp_path}/log.db"))
    kept = [decode_webhook(r.value).body for r in log.read(WEBHOOKS.name, 0, limit=100_000)]
    log.close()
    assert len(answered) > 100
    assert set(answered) <= set(kept)
    assert len(kept) == len(set(kept)) <= len(answered) + len(threads)


def test_webhooks_of_every_account_of_the_sandbox_are_accepted_over_http(gateway):
    _, port = gateway
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    accepted = set()
    for delivery in real_deliveries()[:150]:
        headers = dict(delivery.headers(time.time()))
        status = _ask(connection, "POST", delivery.path, delivery.body, headers)
        assert status in (200, 202) or delivery.is_forged
        accepted.add(delivery.path)
    assert accepted >= {f"/webhooks/{name}" for name in ("stripe", "square", "adyen", "paypal")}


def test_whatever_openapi_lets_one_ask_is_answered_as_described(gateway):
    url = f"http://127.0.0.1:{gateway[1]}"
    schema = schemathesis.openapi.from_dict(httpx.get(f"{url}/openapi.json").json())
    asked = set()

    for operation in schema.get_all_operations():

        @given(case=operation.ok().as_strategy())
        @settings(
            max_examples=15,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case):
            answer = case.call(base_url=url)
            assert answer.status_code < 500, answer.text
            asked.add((case.method, case.path, answer.status_code))
            case.validate_response(answer)

        ask()
    assert ("POST", "/webhooks/{provider}", 401) in asked
    assert ("POST", "/webhooks/{provider}/{account}", 404) in asked
    assert ("GET", "/health/ready", 200) in asked
