"""Archived webhooks normalized again: what maps now becomes an event, and nothing else changes."""

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec
import payment_notifications as n
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from clearhouse.cli.replay import group
from clearhouse.core.window import Window
from clearhouse.landing.store import Landing
from clearhouse.log.log import Message, Progress
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments.event import decode_event
from clearhouse.payments.letters import Letters, Wanted
from clearhouse.payments.normalizer import outcomes
from clearhouse.payments.normalizer.fetching import StripeObjects
from clearhouse.payments.normalizer.loop import Normalizer
from clearhouse.payments.normalizing import normalize
from clearhouse.payments.problem import Problem
from clearhouse.payments.replay import Replay
from clearhouse.payments.store.database import open_store
from clearhouse.payments.store.recorder import Handled, Recorder
from clearhouse.payments.store.tables import delivery
from clearhouse.payments.topics import (
    EVENTS,
    NORMALIZER_DEAD,
    REDRIVEN,
    TOPICS,
    UNMAPPED,
    WEBHOOKS,
)
from clearhouse.payments.unrecorded import STARTER
from clearhouse.payments.webhook import decode_webhook, encode_webhook

NOW = dt.datetime(2026, 11, 2, 13, tzinfo=dt.UTC)
DAYS = Window(NOW.date(), NOW.date())
CHARGE = n.stripe("charge.captured", n.charge())
REFUND = n.stripe("refund.created", n.refund(), id="evt_2")
DISPUTE = n.stripe("charge.dispute.created", n.dispute(), id="evt_3")
NO_FACT = n.stripe("invoice.paid", {}, id="evt_4")


@pytest.fixture
def log(tmp_path):
    opened = SqliteLog(tmp_path / "log.db", [t.name for t in TOPICS], clock=lambda: NOW)
    yield opened
    opened.close()


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path}/payments.db")
    yield opened
    opened.engine.dispose()


@pytest.fixture
def landing(tmp_path):
    return Landing.from_url((tmp_path / "landing").as_uri())


@pytest.fixture
def replay(log, landing, store):
    return Replay(log, landing, store)


@pytest.fixture
def normalizer(log, landing):
    return Normalizer(log, landing, now=lambda: NOW)


def put(log, *webhooks):
    log.append([Message(WEBHOOKS.name, "k", encode_webhook(each)) for each in webhooks])


def record_all(log, store):
    records = log.read(EVENTS.name, 0)
    Recorder(store, lambda: NOW).record(
        [Handled(decode_event(each.value), each) for each in records],
        Progress("worker", EVENTS.name, len(records)),
        0,
    )


def counts(log):
    return [log.end(topic.name) for topic in (WEBHOOKS, EVENTS, UNMAPPED, NORMALIZER_DEAD)]


def test_what_maps_now_becomes_an_event_of_today(log, normalizer, store, replay, monkeypatch):
    put(log, CHARGE, REFUND, DISPUTE, DISPUTE, NO_FACT)
    with monkeypatch.context() as before:
        before.setattr(outcomes, "normalize", _older)
        normalizer.step()
    record_all(log, store)
    assert counts(log) == [5, 1, 2, 2]

    report = replay.compare(DAYS)

    assert (report.webhooks, report.unchanged, report.without) == (5, 1, 1)
    assert [each.event.event_id for each in report.new] == ["stripe:evt_2", "stripe:evt_3"]
    assert report.differing == []
    assert counts(log) == [5, 1, 2, 2]  # nothing yet

    assert replay.append(report.new) == 2
    assert replay.compare(DAYS).new == []  # they wait for the normalizer
    normalizer.step()
    assert counts(log) == [7, 3, 2, 2]
    again = [decode_webhook(each.value) for each in log.read(WEBHOOKS.name, 5)]
    assert {(each.redrive_of, each.attempt, each.body) for each in again} == {
        ("normalizer:payments.webhooks:1", 2, REFUND.body),
        ("normalizer:payments.webhooks:2", 2, DISPUTE.body),
    }
    assert replay.compare(DAYS).new == []


def test_a_letter_that_was_discarded_stays_so(log, normalizer, store, replay, monkeypatch):
    put(log, DISPUTE)
    with monkeypatch.context() as before:
        before.setattr(outcomes, "normalize", _older)
        normalizer.step()
    letters = Letters(log, store, lambda: NOW)
    letters.discard(letters.find(Wanted()), "a test of ours")

    report = replay.compare(DAYS)

    assert (report.new, report.decided) == ([], 1)


def _older(webhook, position, book_date, fetched=None):
    """The mapping before it knew refunds and could read disputes."""
    if "re_1" in webhook.body:
        return normalize(NO_FACT, position, book_date, fetched)
    if "dp_1" in webhook.body:
        return [Problem("mapping_failed", "", "no")]
    return normalize(webhook, position, book_date, fetched)


def test_a_replay_of_what_was_right_changes_nothing(log, normalizer, store, replay):
    put(log, CHARGE, CHARGE, NO_FACT)
    normalizer.step()
    for is_recorded in (False, True):
        if is_recorded:
            record_all(log, store)

        report = replay.compare(DAYS)

        assert (report.unchanged, report.without) == (2, 1)
        assert (report.new, report.differing) == ([], [])


def test_a_known_event_that_would_be_another_is_named_and_left(
    log, normalizer, store, replay, monkeypatch
):
    put(log, CHARGE, REFUND)
    normalizer.step()
    record_all(log, store)

    def newer(webhook, position, book_date, fetched=None):
        if "re_1" in webhook.body:
            return normalize(NO_FACT, position, book_date, fetched)
        event = normalize(webhook, position, book_date, fetched)
        return msgspec.structs.replace(event, amount_minor=1)

    monkeypatch.setattr(outcomes, "normalize", newer)
    report = replay.compare(DAYS)

    assert [(each.event_id, each.fields) for each in report.differing] == [
        ("stripe:evt_1", ("amount_minor",)),
        ("stripe:evt_2", ()),
    ]
    assert report.new == []


def stripe_api(answer):
    return StripeObjects("https://stripe.test", "sk_test_1", transport=httpx.MockTransport(answer))


@pytest.mark.parametrize(
    "late",
    [
        {"status_code": 200, "json": n.charge(amount_captured=1000)},
        {"status_code": 404, "json": {}},
    ],
)
def test_of_what_two_processes_fetched_it_is_what_was_recorded_that_counts(
    log, landing, store, replay, tmp_path, late
):
    put(log, n.thin())
    other_log = SqliteLog(tmp_path / "log.db", [t.name for t in TOPICS], clock=lambda: NOW)
    quick_api = stripe_api(lambda _: httpx.Response(200, json=n.charge()))
    quick = Normalizer(other_log, landing, quick_api)

    def answer_late(_request):
        with ThreadPoolExecutor(1) as another_thread:  # where no event loop runs
            assert another_thread.submit(quick.step).result() == 1
        return httpx.Response(**late)

    slow_api = stripe_api(answer_late)
    assert Normalizer(log, landing, slow_api).step() == 0
    record_all(log, store)

    report = replay.compare(DAYS)

    assert (report.unchanged, report.differing) == (1, [])
    for each in (quick_api, slow_api, other_log):
        each.close()


def test_a_thin_event_that_came_again_is_what_it_was_first(log, landing, store, replay):
    charges = (n.charge(amount_captured=amount) for amount in (1000, 4590))
    api = stripe_api(lambda _: httpx.Response(200, json=next(charges)))
    normalizer = Normalizer(log, landing, api, batch=1)
    put(log, n.thin(), n.thin())
    assert normalizer.step() + normalizer.step() == 2
    record_all(log, store)

    report = replay.compare(DAYS)

    assert (report.unchanged, report.differing) == (2, [])
    api.close()


def test_webhooks_that_were_not_normalized_yet_are_the_normalizers(log, replay):
    put(log, CHARGE)

    report = replay.compare(DAYS)

    assert (report.webhooks, report.new) == (0, [])


def test_events_whose_runs_are_gone_are_recorded_as_the_deliveries_that_they_were(
    log, landing, store, normalizer
):
    put(log, CHARGE, REFUND, DISPUTE)
    normalizer.step()
    replay = Replay(log, landing, store, {"stripe:evt_2"}.intersection)

    def starter_reads(topic, to):
        log.progress(STARTER, topic.name)
        log.append([], Progress(STARTER, topic.name, to))

    def lost():
        report = replay.compare(DAYS)
        assert (report.new, report.unchanged) == ([], 3 - len(report.lost))
        return report.lost

    assert lost() == []  # they wait for the starter
    starter_reads(EVENTS, 2)
    (charge,) = lost()  # the run of the refund goes on
    assert charge.event_id == "stripe:evt_1"
    assert replay.record([charge]) == 1
    assert lost() == []
    starter_reads(REDRIVEN, 1)
    assert lost() == [charge]  # its run is gone as well
    (again,) = log.read(REDRIVEN.name, 0)
    Recorder(store, lambda: NOW).record([Handled(decode_event(again.value), again)], None)
    assert lost() == []
    with store.reading() as connection:
        told = connection.execute(sa.select(delivery.c.webhook_position, delivery.c.outcome)).all()
    assert [tuple(row) for row in told] == [(0, "recorded")]


def test_the_command_says_first_and_appends_when_it_is_told(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("CLEARHOUSE_HOME", str(home))
    log = SqliteLog(home / "log.db", [t.name for t in TOPICS], clock=lambda: NOW)
    put(log, CHARGE, REFUND)
    with monkeypatch.context() as before:
        before.setattr(outcomes, "normalize", _older)
        Normalizer(log, Landing.from_url((home / "landing").as_uri())).step()
    asked = ["payments", "--from", "2026-11-02", "--to", "2026-11-02", "--json"]

    said = json.loads(CliRunner().invoke(group, asked).stdout)
    applied = json.loads(CliRunner().invoke(group, [*asked, "--apply"]).stdout)

    assert (said["webhooks"], said["new"], said["applied"]) == (2, ["stripe:evt_2"], False)
    assert applied == {**said, "applied": True}
    assert log.end(WEBHOOKS.name) == 3
    log.close()
