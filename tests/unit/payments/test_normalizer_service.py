"""The normalizer as a process: it works until it is told to end, and says how it is."""

import os
import re
import signal
import subprocess
import sys
import time

import httpx
import payment_notifications as n
import pytest
from payment_services import free_port

from clearhouse.landing.store import Landing
from clearhouse.log.log import Message
from clearhouse.log.opening import LogPlace
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.normalizer.archive import archived
from clearhouse.payments.topics import EVENTS, NORMALIZER_DEAD, WEBHOOKS
from clearhouse.payments.webhook import encode_webhook
from clearhouse.settings import load_settings

SOON_SECONDS = 60.0
GOOD = encode_webhook(n.stripe("charge.captured", n.charge()))
BAD = encode_webhook(n.stripe("charge.captured", n.charge(amount="x")))


@pytest.fixture
def settings(tmp_path):
    tmp_path.joinpath("home").mkdir()
    return load_settings(clearhouse_home=tmp_path / "home")


@pytest.fixture
def log(settings):
    opened = open_payment_log(LogPlace(settings.log_url))
    yield opened
    opened.close()


@pytest.fixture
def service(settings):
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "clearhouse", "serve", "normalizer", "--port", str(port)],
        env={**os.environ, "CLEARHOUSE_HOME": str(settings.clearhouse_home)},
        stderr=subprocess.PIPE,
    )
    yield process, f"http://127.0.0.1:{port}"
    process.kill()
    process.communicate()


def until(holds):
    end = time.monotonic() + SOON_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def health(url):
    try:
        return httpx.get(f"{url}/health/ready").json()
    except httpx.TransportError:
        return {}


def test_it_normalizes_says_so_and_leaves_all_archived(settings, log, service):
    process, url = service
    log.append([Message(WEBHOOKS.name, "k", each) for each in (GOOD, BAD)])

    until(lambda: log.end(EVENTS.name) + log.end(NORMALIZER_DEAD.name) == 2)
    until(lambda: health(url).get("status") == "ready")
    metrics = httpx.get(f"{url}/metrics").text
    assert 'normalizer_outcomes_total{code="field_type",topic="payments.dead.normalizer"} 1.0' in (
        metrics
    )
    assert 'payments_lag{partition="0",topic="payments.webhooks"} 0.0' in metrics
    assert "payments_ready 1.0" in metrics
    assert "normalizer_archive_ready 1.0" in metrics

    process.send_signal(signal.SIGTERM)
    assert process.wait(SOON_SECONDS) == 0
    (record, _) = log.read(WEBHOOKS.name, 0)
    landing = Landing.from_url(settings.landing_url)
    assert len(list(archived(landing, record.appended_at.date()))) == 2


def test_an_open_breaker_is_told_and_not_gone_round(log, service):
    _, url = service
    log.append([Message(WEBHOOKS.name, "k", BAD)] * 200)

    until(lambda: health(url).get("code") == "breaker_open")
    metrics = httpx.get(f"{url}/metrics").text
    assert 'payments_waits_for{part="breaker"} 1.0' in metrics
    assert 'payments_failures_total{code="breaker_open"} 1.0' in metrics
    (lag,) = re.findall(r"^payments_lag{.*} (.*)$", metrics, re.MULTILINE)
    assert float(lag) == 200
    (age,) = re.findall(r"^payments_oldest_unprocessed_seconds{.*} (.*)$", metrics, re.MULTILINE)
    assert float(age) > 0

    assert log.end(NORMALIZER_DEAD.name) == 0
    assert httpx.get(f"{url}/health/live").is_success
