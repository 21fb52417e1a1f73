"""Dead letters: found, tried again once, or discarded; on the command line too."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cli_session import clearhouse
from payment_lives import NOON, an_event

from clearhouse.core.errors import UsageError
from clearhouse.log.log import Message
from clearhouse.log.opening import LogPlace
from clearhouse.payments.dead_letter import DeadLetter
from clearhouse.payments.event import EventType as T
from clearhouse.payments.event import PaymentEvent, Provider, encode_event
from clearhouse.payments.inference.client import InProcess
from clearhouse.payments.letters import Letters, Wanted
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.store.database import open_store
from clearhouse.payments.topics import EVENTS, NORMALIZER_DEAD, REDRIVEN, WEBHOOKS
from clearhouse.payments.webhook import StoredWebhook, decode_webhook, encode_webhook
from clearhouse.payments.worker.loop import Worker

WEBHOOK = StoredWebhook(
    provider=Provider.ADYEN,
    account="default",
    key_id="1",
    received_at=NOON,
    verified_at=NOON,
    item=0,
    items=1,
    body="{}",
    body_sha256="0" * 64,
)


class Office:
    """A home with a log, a store, a worker, and letters of two stages."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = open_payment_log(LogPlace(f"sqlite:///{home}/log.db"))
        self.store = open_store(f"sqlite:///{home}/payments.db")
        self.letters = Letters(self.log, self.store, lambda: NOON)
        self.worker = Worker(self.log, self.store, InProcess(), clock=lambda: NOON)
        self.send(an_event(T.CAPTURED, amount_minor=None, currency=None))
        self.worker.step()
        self.dead_webhook("field_missing", WEBHOOK)

    def send(self, *events: PaymentEvent) -> None:
        self.log.append([Message(EVENTS.name, "k", encode_event(event)) for event in events])

    def dead_webhook(self, code: str, webhook: StoredWebhook | None, **more: Any) -> None:
        position = self.log.end(NORMALIZER_DEAD.name)
        fields: dict[str, Any] = {
            "letter_id": f"normalizer:{WEBHOOKS.name}:{position}",
            "stage": "normalizer",
            "code": code,
            "reason": "A field is missing.",
            "provider": Provider.ADYEN,
            "account": "default",
            "book_date": NOON.date(),
            "first_at": NOON,
            "last_at": NOON - dt.timedelta(days=1),
            "attempt": webhook.attempt if webhook else 1,
            "message": msgspec.Raw(encode_webhook(webhook) if webhook else b"null"),
        }
        letter = DeadLetter(**{**fields, **more})
        self.log.append([Message(NORMALIZER_DEAD.name, "k", msgspec.json.encode(letter))])

    def found(self, **wanted: Any) -> list[str]:
        return [each.letter.code for each in self.letters.find(Wanted(**wanted))]

    def said(self, topic: str) -> list[bytes]:
        return [record.value for record in self.log.read(topic, 0)]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["field_missing", "amount_missing"]),
        ({"stage": "worker"}, ["amount_missing"]),
        ({"code": "field_missing"}, ["field_missing"]),
        ({"provider": "stripe"}, ["amount_missing"]),
        ({"first": NOON.date()}, ["amount_missing"]),
        ({"last": NOON.date() - dt.timedelta(days=1)}, ["field_missing"]),
        ({"ids": frozenset({"worker:payments.events:0"})}, ["amount_missing"]),
        ({"code": "field_missing", "stage": "worker"}, []),
    ],
)
def test_letters_are_found_by_what_they_say(
    office: Office, wanted: dict[str, Any], found: list[str]
) -> None:
    assert office.found(**wanted) == found


def test_a_webhook_is_tried_again_once(office: Office) -> None:
    letters = office.letters.find(Wanted(stage="normalizer"))
    assert office.letters.redrive(letters) == 1
    assert office.letters.redrive(letters) == 0
    (value,) = office.said(WEBHOOKS.name)
    again = decode_webhook(value)
    assert (again.redrive_of, again.attempt) == ("normalizer:payments.webhooks:0", 2)
    assert again.body == WEBHOOK.body
    assert office.found() == ["amount_missing"]


def test_an_event_that_fails_again_is_a_letter_of_the_next_attempt(office: Office) -> None:
    office.letters.redrive(office.letters.find(Wanted(stage="worker")))
    assert len(office.said(REDRIVEN.name)) == 1
    office.worker.step()
    (letter,) = office.letters.find(Wanted(stage="worker"))
    assert letter.letter.letter_id == "worker:payments.redriven:0"
    assert (letter.letter.attempt, letter.letter.first_at) == (2, NOON)


def test_a_discarded_letter_is_not_tried_again(office: Office) -> None:
    letters = office.letters.find(Wanted())
    assert office.letters.discard(letters, "a test of theirs") == 2
    assert office.letters.redrive(letters) == 0
    assert office.found() == []
    everything = office.letters.find(Wanted(), only_open=False)
    assert {(each.state, each.reason) for each in everything} == {("discarded", "a test of theirs")}


def test_what_can_t_be_tried_again_is_said_before_anything_is(office: Office) -> None:
    office.dead_webhook("broken", None, body_base64="AAAA")
    with pytest.raises(UsageError, match="discard it"):
        office.letters.redrive(office.letters.find(Wanted()))
    assert len(office.found()) == 3


def test_letters_are_found_when_the_log_has_forgotten_the_first(office: Office) -> None:
    for _ in range(5):
        office.dead_webhook("later", WEBHOOK)
    office.log.age_out({NORMALIZER_DEAD.name: [4]})
    assert office.found(stage="normalizer") == ["later", "later"]


def test_the_command_line_shows_first_and_does_then(office: Office) -> None:
    def dlq(*args: str) -> Any:
        answer = clearhouse(office.home, "dlq", *args, CLEARHOUSE_HOME=str(office.home))
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    assert "amount_missing" in dlq("list")
    shown = json.loads(dlq("show", "worker:payments.events:0", "--json"))
    assert shown["message"]["event_type"] == "captured"
    assert "1 letter would be redriven" in dlq("redrive", "--stage", "worker")
    assert office.found() == ["field_missing", "amount_missing"]
    told = json.loads(dlq("redrive", "--stage", "worker", "--apply", "--json"))
    assert told["redriven"] == 1
    assert len(office.said(REDRIVEN.name)) == 1
    assert "1 letter discarded" in dlq("discard", "--reason", "a test", "--apply")
    assert dlq("list").strip() == "No open dead letters."


@pytest.mark.parametrize(
    "wanted", [("--provider", "Stripe"), ("--from", "2026-12-01", "--to", "2026-11-01")]
)
def test_letters_that_there_can_not_be_are_a_wrong_question(
    office: Office, wanted: tuple[str, ...]
) -> None:
    answer = clearhouse(office.home, "dlq", "list", *wanted, CLEARHOUSE_HOME=str(office.home))

    assert (answer.returncode, answer.stdout) == (2, "")
