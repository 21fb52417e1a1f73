"""Normalizers come and go under a steady load: of each webhook there is one event, and no second.

They are processes as users start them. Some are ended by SIGTERM, some are killed; each time the
partitions of the topic go to the others.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict

import msgspec
import payment_notifications as n
import pytest
from kafka_logs import PARTITIONS, new_place

from clearhouse.log.log import Message
from clearhouse.log.scan import scan
from clearhouse.payments.event import PaymentEvent
from clearhouse.payments.log_opening import declared_topics, open_payment_log
from clearhouse.payments.topics import EVENTS, WEBHOOKS
from clearhouse.payments.webhook import encode_webhook

CHANGES = 10
SECONDS_BETWEEN_CHANGES = 4
AT_ONCE = 40
BACKLOG = 60_000
"""Some seconds of one process's work, in full batches."""
HANDLED = 8_000
"""By the one that is killed, when it is."""
SOON_SECONDS = 180
SEED = 13


class Load(threading.Thread):
    """Appends webhooks until it is stopped; each says a payment of its own."""

    def __init__(self, log):
        super().__init__()
        self._log = log
        self._is_ended = threading.Event()
        self.sent = 0

    def run(self):
        while not self._is_ended.wait(0.05):
            numbers = range(self.sent, self.sent + AT_ONCE)
            self._log.append([webhook(number) for number in numbers])
            self.sent += AT_ONCE

    def stop(self):
        self._is_ended.set()
        self.join()


def webhook(number):
    payment = f"pi_{number % 50}"
    charge = n.charge(id=f"ch_{number}", payment_intent=payment)
    return Message(
        WEBHOOKS.name,
        payment,
        encode_webhook(n.stripe("charge.captured", charge, id=f"evt_{number}")),
    )


@pytest.fixture
def place(stack):
    return new_place(stack.settings["LOG_URL"], declared_topics())


@pytest.fixture
def start(place, tmp_path):
    """Starts a normalizer; all that still run are killed at the end."""
    processes = []

    def start_it():
        environment = {
            **os.environ,
            "CLEARHOUSE_HOME": str(tmp_path / "home"),
            "LOG_URL": place.url,
            "PAYMENTS_DATABASE_URL": f"sqlite:///{tmp_path}/payments.db",
        }
        with (tmp_path / "said").open("ab") as said:
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "clearhouse", "serve", "normalizer"],
                    env=environment,
                    stdout=said,
                    stderr=said,
                )
            )
        return processes[-1]

    yield start_it
    for process in processes:
        process.kill()
        process.wait()


def test_each_webhook_has_one_event_however_often_partitions_change_hands(place, start, tmp_path):
    draw = random.Random(SEED)
    log = open_payment_log(place)
    load = Load(log)
    running = [start(), start()]
    load.start()
    ends = Counter()
    try:
        for _ in range(CHANGES):
            time.sleep(SECONDS_BETWEEN_CHANGES)
            if len(running) < 2 or (len(running) < PARTITIONS and draw.random() < 0.5):
                running.append(start())
            else:
                ended = running.pop(draw.randrange(len(running)))
                how = draw.choice((signal.SIGTERM, signal.SIGKILL))
                ended.send_signal(how)
                ends[how] += 1
    finally:
        load.stop()
    assert set(ends) == {signal.SIGTERM, signal.SIGKILL}

    _check_each_has_one_event(log, load.sent, tmp_path)
    log.close()


def test_one_that_is_killed_amid_a_full_topic_leaves_each_webhook_one_event(place, start, tmp_path):
    log = open_payment_log(place)
    for first in range(0, BACKLOG, AT_ONCE * 50):
        log.append([webhook(number) for number in range(first, first + AT_ONCE * 50)])
    killed = start()
    give_up_at = time.monotonic() + SOON_SECONDS
    while _waiting(log) > BACKLOG - HANDLED:
        assert time.monotonic() < give_up_at, _said(tmp_path)
    killed.kill()
    killed.wait()
    assert _waiting(log) > 0

    start()
    _check_each_has_one_event(log, BACKLOG, tmp_path)
    log.close()


def _check_each_has_one_event(log, sent, folder):
    """Once nothing waits, and in the order of their payment."""
    positions = sorted(record.position for record in scan(log, WEBHOOKS.name))
    assert len(positions) == sent
    give_up_at = time.monotonic() + SOON_SECONDS
    while _waiting(log) and time.monotonic() < give_up_at:
        time.sleep(0.5)
    log.settle([EVENTS.name])  # a killed one may have left a transaction open

    events = [msgspec.json.decode(r.value, type=PaymentEvent) for r in scan(log, EVENTS.name)]
    assert sorted(event.webhook_position for event in events) == positions, _said(folder)
    by_key = defaultdict(list)
    for record, event in zip(scan(log, EVENTS.name), events, strict=True):
        by_key[record.key].append(event.webhook_position)
    assert all(placed == sorted(placed) for placed in by_key.values())


def _waiting(log):
    reached = (log.progress("normalizer", WEBHOOKS.name, p) for p in range(PARTITIONS))
    return sum(log.waiting(WEBHOOKS.name, position) for position in reached)


def _said(folder):
    return (folder / "said").read_text()[-4000:]
