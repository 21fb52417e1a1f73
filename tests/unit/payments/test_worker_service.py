"""The worker as a process."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
from cli_session import environment
from payment_lives import an_event

from clearhouse.core import supervised
from clearhouse.core.supervisor import Patience
from clearhouse.log.log import Message
from clearhouse.log.opening import LogPlace
from clearhouse.payments.event import EventType as T
from clearhouse.payments.event import encode_event
from clearhouse.payments.gateway import run
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.topics import EVENTS, RECORDED
from clearhouse.payments.workflows import worker_service

SECONDS = 60


def test_it_records_says_how_it_is_and_ends_on_sigterm(tmp_path: Path) -> None:
    log = open_payment_log(LogPlace(f"sqlite:///{tmp_path}/log.db"))
    events = [an_event(T.CAPTURED), an_event(T.CAPTURED, payment_id="b", amount_minor=None)]
    log.append([Message(EVENTS.name, "k", encode_event(event)) for event in events])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    worker = subprocess.Popen(
        [sys.executable, "-m", "clearhouse", "serve", "worker", "--port", str(port)],
        env=environment({"CLEARHOUSE_HOME": str(tmp_path)}),
        cwd=tmp_path,
    )
    try:
        until_ready(f"http://127.0.0.1:{port}/health/ready")
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        assert 'worker_outcomes_total{outcome="recorded"} 1.0' in metrics
        assert 'worker_outcomes_total{outcome="dead_letter"} 1.0' in metrics
        assert 'payments_lag{partition="0",topic="payments.events"} 0.0' in metrics
        assert 'payments_oldest_unprocessed_seconds{partition="0",topic="payments.events"} 0.0' in (
            metrics
        )
        assert "payments_ready 1.0" in metrics
        assert "payments_batch_seconds_count 1.0" in metrics
        assert "worker_outbox_first 0.0" in metrics
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(SECONDS) == 0
    finally:
        worker.kill()
        worker.wait()
    assert len(log.read(RECORDED.name, 0)) == 1


def until_ready(url: str) -> None:
    give_up_at = time.monotonic() + SECONDS
    while time.monotonic() < give_up_at:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("it does not become ready")


def test_services_are_killed_only_after_the_time_that_they_take_to_end_in_order() -> None:
    takes = [run.GRACE_SECONDS, worker_service.DRAIN.total_seconds()]
    for given in (Patience().stop_seconds, supervised.GRACE_SECONDS):
        assert given > max(takes)
