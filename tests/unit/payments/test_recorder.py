"""What a batch of events leaves in the operational store, whatever order they come in."""

import hashlib
import itertools
from collections.abc import Iterator

import msgspec
import pytest
from databases import Databases
from payment_desk import Desk
from payment_lives import NOON, an_event

from clearhouse.log.log import StaleProgress
from clearhouse.payments.dead_letter import DeadLetter
from clearhouse.payments.event import EventType as T
from clearhouse.payments.event import PaymentEvent, Provider, encode_event
from clearhouse.payments.event import decode_event as decode
from clearhouse.payments.problem import Problem
from clearhouse.payments.store import linking, tables
from clearhouse.payments.store.recorder import Outcomes
from clearhouse.payments.topics import RECORDED, WORKER_DEAD


@pytest.fixture
def url(databases: Databases) -> str:
    return databases.bare()


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    made = Desk(url)
    yield made
    made.store.close()


def test_an_event_is_recorded_once_whatever_number_of_times_it_comes(desk: Desk) -> None:
    event = an_event(T.CAPTURED)
    again = msgspec.structs.replace(event, webhook_position=10_001, received_at=NOON)
    assert desk.record(event, again).duplicate == 1
    more = msgspec.structs.replace(event, webhook_position=10_002)
    assert desk.record(more) == Outcomes(duplicate=1)
    assert desk.rows(tables.payment, "captured_minor") == [(1000,)]
    outcomes = [outcome for (outcome,) in desk.rows(tables.delivery, "outcome")]
    assert sorted(outcomes) == ["duplicate", "duplicate", "recorded"]
    assert [topic for (topic,) in desk.rows(tables.outbox, "topic")] == [RECORDED.name]


def test_an_event_that_contradicts_what_is_recorded_is_a_dead_letter(desk: Desk) -> None:
    event = an_event(T.CAPTURED)
    other = msgspec.structs.replace(event, webhook_position=10_001, amount_minor=9_999)
    desk.record(event)
    assert desk.record(other) == Outcomes(dead_letter=1)
    assert desk.rows(tables.payment, "captured_minor") == [(1000,)]
    letter = letters(desk)[0]
    assert (letter.code, letter.webhook_position, letter.attempt) == ("event_conflict", 10_001, 1)
    assert bytes(letter.message) == encode_event(other)


def test_a_thin_event_that_comes_again_after_its_object_has_changed_is_a_duplicate(
    desk: Desk,
) -> None:
    event = an_event(T.REFUND_PENDING, provider_type="v1.refund.updated")
    again = msgspec.structs.replace(
        event, webhook_position=10_001, event_type=T.REFUNDED, amount_minor=9_999
    )
    of_another = msgspec.structs.replace(again, webhook_position=10_002, refund_id="another")
    assert desk.record(event) == Outcomes(recorded=1)
    assert desk.record(again) == Outcomes(duplicate=1)
    assert desk.rows(tables.refund, "status", "amount_minor") == [("pending", 1000)]
    assert desk.record(of_another) == Outcomes(dead_letter=1)
    assert letters(desk)[0].code == "event_conflict"


@pytest.mark.parametrize(
    "changes",
    [{"event_id": "stripe:\0"}, {"currency": "U\0D"}, {"body_sha256": "\0"}],
    ids=["id", "currency", "hash"],
)
def test_what_no_column_of_a_server_can_hold_is_a_dead_letter(
    desk: Desk, changes: dict[str, str]
) -> None:
    event = an_event(T.CAPTURED, **changes)
    assert desk.record(
        event, problems=(Problem("text_not_storable", "", "It is not."),)
    ) == Outcomes(dead_letter=1)
    assert decode(bytes(letters(desk)[0].message)) == event


def test_a_dead_letter_that_is_tried_again(desk: Desk) -> None:
    event = an_event(T.CAPTURED)
    broken = (Problem("amount_missing", "amount_minor", "It has none."),)
    desk.record(event, problems=broken)
    desk.record(event, problems=broken)
    assert desk.rows(tables.delivery, "outcome", "attempt") == [("dead_letter", 2)]
    assert [letter.attempt for letter in letters(desk)] == [1, 2]
    assert desk.record(event) == Outcomes(recorded=1)
    assert desk.rows(tables.delivery, "outcome", "attempt") == [("recorded", 3)]
    assert desk.record(event) == Outcomes(known=1)


def test_a_batch_is_recorded_by_one_process_only(desk: Desk, url: str) -> None:
    other = Desk(url)
    desk.record(an_event(T.CAPTURED))
    with pytest.raises(StaleProgress):
        other.record(an_event(T.CAPTURED, payment_id="other"))
    other.store.close()
    assert len(desk.rows(tables.payment_event)) == 1


PAYPAL = {"provider": Provider.PAYPAL}
ADYEN = {"provider": Provider.ADYEN}
LINKED = [
    an_event(T.AUTHORIZED, payment_id="auth", **PAYPAL),
    an_event(T.CAPTURED, at=1, payment_id="cap", linked_id="auth", **PAYPAL),
    an_event(T.REFUNDED, at=2, payment_id="cap", amount_minor=400, **PAYPAL),
    an_event(T.CAPTURED, at=3, payment_id="other", merchant_reference="order", **PAYPAL),
]
BY_REFERENCE = [
    an_event(T.CAPTURED, payment_id="one", merchant_reference="order", **ADYEN),
    an_event(T.FUNDS_WITHDRAWN, at=1, payment_id=None, merchant_reference="order", **ADYEN),
    an_event(T.FUNDS_REINSTATED, at=2, payment_id=None, merchant_reference="order", **ADYEN),
]
BY_DISPUTE = [
    an_event(T.CAPTURED, payment_id="one", **ADYEN),
    an_event(T.FUNDS_WITHDRAWN, at=1, payment_id="one", **ADYEN),
    an_event(T.FUNDS_REINSTATED, at=2, payment_id=None, **ADYEN),
    an_event(T.FUNDS_WITHDRAWN, at=3, payment_id=None, dispute_id="unknown", **ADYEN),
]
AMBIGUOUS = [
    an_event(T.CAPTURED, payment_id="one", merchant_reference="none", **ADYEN),
    an_event(T.CAPTURED, payment_id="two", merchant_reference="none", **ADYEN),
    an_event(T.FUNDS_WITHDRAWN, at=1, payment_id=None, merchant_reference="none", **ADYEN),
]
PAYOUTS = [
    an_event(T.PAYOUT_SENT),
    an_event(T.PAYOUT_PAID, at=1),
    an_event(T.PAYOUT_PAID, at=2, payout_id="back", is_reversal_of="po", amount_minor=-1000),
]


@pytest.mark.parametrize("life", [LINKED, BY_REFERENCE, BY_DISPUTE, AMBIGUOUS, PAYOUTS])
def test_the_order_of_events_and_of_batches_makes_no_difference(
    life: list[PaymentEvent], databases: Databases
) -> None:
    desks = []
    for number, order in enumerate(itertools.permutations(life)):
        desk = Desk(databases.bare())
        if number % 2:
            desk.record(*order)
        else:
            for event in order:
                desk.record(event)
        desks.append(desk.derived())
        desk.store.close()
    assert all(each == desks[0] for each in desks)


def test_what_links_make_of_events(desk: Desk) -> None:
    desk.record(*LINKED[::-1])
    assert desk.rows(tables.payment, "payment_id", "status", "events") == [
        ("auth", "partially_refunded", 3),
        ("other", "captured", 1),
    ]
    desk.record(*BY_REFERENCE[::-1])
    dispute = desk.rows(tables.dispute, "payment_key", "withdrawn_minor", "reinstated_minor")
    assert dispute == [("adyen:acct:live:one", 1000, 1000)]


def test_a_reference_of_several_payments_links_nothing(desk: Desk) -> None:
    desk.record(AMBIGUOUS[0], AMBIGUOUS[2])
    assert desk.rows(tables.dispute, "payment_key") == [("adyen:acct:live:one",)]
    desk.record(AMBIGUOUS[1])
    assert desk.rows(tables.dispute, "payment_key") == [(None,)]
    assert desk.rows(tables.payment, "disputed_minor") == [(0,), (0,)]


def test_an_event_is_known_by_the_id_that_landing_computes(desk: Desk) -> None:
    event = an_event(T.CAPTURED)
    desk.record(event)
    line = encode_event(event)
    expected = hashlib.md5(f"payments_store|{event.event_id}|".encode() + line).hexdigest()
    assert desk.rows(tables.payment_event, "record_id", "line") == [(expected, line)]


def letters(desk: Desk) -> list[DeadLetter]:
    rows = desk.rows(tables.outbox, "topic", "value")
    return [
        msgspec.json.decode(value, type=DeadLetter)
        for topic, value in rows
        if topic == WORKER_DEAD.name
    ]


def test_what_waits_under_a_reference_of_many_payments_is_not_read_for_each_further_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(n: int) -> PaymentEvent:
        return an_event(
            T.DISPUTE_OPENED, dispute_id=f"d{n}", payment_id=None, merchant_reference="order"
        )

    def captured(n: int) -> PaymentEvent:
        return an_event(T.CAPTURED, payment_id=f"p{n}", merchant_reference="order")

    desk.record(captured(0), opened(0))
    assert desk.rows(tables.dispute, "payment_key") == [("stripe:acct:live:p0",)]
    desk.record(*map(captured, range(1, 20)), *map(opened, range(1, 20)))
    assert desk.rows(tables.dispute, "payment_key") == [(None,)] * 20

    read: list[bytes] = []
    monkeypatch.setattr(linking, "decode_event", lambda line: read.append(line) or decode(line))
    desk.record(captured(20))
    assert read == []
