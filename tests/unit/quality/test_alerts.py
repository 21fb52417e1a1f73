"""Alerts of held days, against a real HTTP server on this machine."""

import datetime as dt
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from structlog.testing import capture_logs

from clearhouse.core.errors import SettingsError
from clearhouse.quality.alerts import Alerter, slack_message
from clearhouse.quality.verdicts import Failure, Verdict

SECRET = "/services/T000/B000/s3cr3t"


class Webhook(HTTPServer):
    """Keeps every message posted to it, and answers with `status`."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.messages: list[dict] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{SECRET}"


class Answer(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == SECRET
        assert self.headers["Content-Type"] == "application/json"
        self.server.messages.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: a test's output is its failures."""


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def held(day: str, *details: str) -> Verdict:
    failures = tuple(Failure("expect_x", "column", detail, 1) for detail in details)
    return Verdict(dt.date.fromisoformat(day), False, failures)


HEAD = f"12:{'ab' * 32}"
PASSED = Verdict(dt.date(2024, 3, 8), True, ())
FIRST = held("2024-03-09", "net_rows: 2,656 is less than volume_low (4,000)")
SECOND = held("2024-03-10", "a <b> & c")


def test_one_message_tells_all_held_days_in_slacks_format(webhook):
    with capture_logs() as logs:
        Alerter(webhook.url).held("bnpl", "raw_schema_gate", PASSED, FIRST, SECOND, journal=HEAD)

    (message,) = webhook.messages
    assert message["text"] == "bnpl: 2 days held by raw_schema_gate: 2024-03-09, 2024-03-10"
    sections = [block["text"]["text"] for block in message["blocks"] if block["type"] == "section"]
    assert sections[1:] == [
        "*2024-03-09*\n• net_rows: 2,656 is less than volume_low (4,000)",
        "*2024-03-10*\n• a &lt;b&gt; &amp; c",
    ]
    assert [(log["log_level"], log["book_date"]) for log in logs] == [
        ("warning", "2024-03-09"),
        ("warning", "2024-03-10"),
    ]
    assert logs[0]["failures"] == [FIRST.failures[0].detail]
    assert logs[0]["journal"] == HEAD
    assert message["blocks"][-1]["elements"][0]["text"].endswith(HEAD)


def test_days_that_passed_are_not_told(webhook):
    with capture_logs() as logs:
        Alerter(webhook.url).held("bnpl", "raw_schema_gate", PASSED, journal=HEAD)
    assert (webhook.messages, logs) == ([], [])


def test_without_a_webhook_the_log_alone_is_told():
    with capture_logs() as logs:
        Alerter(None).held("bnpl", "raw_schema_gate", FIRST, journal=HEAD)
    assert [log["event"] for log in logs] == ["day held"]


def test_a_refused_post_is_logged_without_the_url_and_fails_nothing(webhook):
    webhook.status = 403
    with capture_logs() as logs:
        Alerter(webhook.url).held("bnpl", "raw_schema_gate", FIRST, journal=HEAD)
    assert logs[-1] == {"event": "alert not delivered", "status_code": 403, "log_level": "error"}


def test_a_silent_or_absent_webhook_is_logged_without_the_url_and_fails_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}{SECRET}"
        with capture_logs() as logs:
            Alerter(url, timeout_seconds=0.05).held("bnpl", "gate", FIRST, journal=HEAD)
        assert logs[-1]["log_level"] == "error"
        assert logs[-1]["reason"] == "TimeoutError"
    with capture_logs() as absent:
        Alerter(url).held("bnpl", "gate", FIRST, journal=HEAD)
    assert absent[-1]["reason"] == "ConnectionRefusedError"
    assert "s3cr3t" not in str(logs + absent)


@pytest.mark.parametrize(
    "url", ["ftp://host/s3cr3t", "s3cr3t", "https:///s3cr3t", "http://[s3cr3t"]
)
def test_a_url_that_is_none_is_refused_and_not_repeated(url):
    with pytest.raises(SettingsError, match="must begin with https") as caught:
        Alerter(url)
    assert "s3cr3t" not in str(caught.value)


def test_a_year_of_held_days_stays_within_slacks_limits():
    first = dt.date(2024, 1, 1)
    details = [f"column_{n}: 5,312 of 5,312 rows without a value" for n in range(30)]
    year = [held(str(first + dt.timedelta(days=n)), *details) for n in range(366)]
    message = slack_message("bnpl", "daily_quality_gate", year, HEAD)
    assert len(message["blocks"]) <= 50
    assert "366 days" in message["text"]
    assert message["text"].endswith(", and 346 more")
    sections = [block["text"]["text"] for block in message["blocks"] if block["type"] == "section"]
    assert max(map(len, sections)) <= 3_000
    assert sections[1].endswith("\nand 22 more")
