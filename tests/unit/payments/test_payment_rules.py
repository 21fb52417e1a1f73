"""What a payment event must hold to be recorded."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from payment_events import AT, an_event

from clearhouse.payments.event import EventType
from clearhouse.payments.rules import MOST_CHARACTERS, validate
from clearhouse.payments.store import tables


@pytest.mark.parametrize("event_type", list(EventType))
def test_a_sound_event_of_each_type_breaks_no_rule(event_type: EventType) -> None:
    assert validate(an_event(event_type)) == []


SOUND: list[tuple[EventType, dict[str, Any]]] = [
    (EventType.AUTHORIZED, {"amount_minor": 0}),  # a card check
    (EventType.CAPTURED, {"fee_minor": 30, "amount_minor": 10}),
    (EventType.REFUNDED, {"fee_minor": -30}),
    (EventType.PAYOUT_SENT, {"amount_minor": -500}),
    (EventType.PAYOUT_SENT, {"amount_minor": 10**10}),  # many payments together
    (EventType.PAYOUT_SENT, {"is_reversal_of": "po_0"}),
    (EventType.CANCELED, {"amount_minor": None, "currency": None}),
    (EventType.FUNDS_WITHDRAWN, {"payment_id": None, "merchant_reference": "order 7"}),
    (EventType.CAPTURED, {"currency": "IDR", "amount_minor": 10**13 // 4}),
    (EventType.CAPTURED, {"occurred_at": AT + dt.timedelta(hours=23)}),
]


@pytest.mark.parametrize(("event_type", "changes"), SOUND)
def test_what_is_rare_and_legitimate_passes(event_type: EventType, changes: dict[str, Any]) -> None:
    assert validate(an_event(event_type, **changes)) == []


BROKEN: list[tuple[EventType, dict[str, Any], str, str]] = [
    (EventType.CAPTURED, {"currency": None}, "currency_missing", "currency"),
    (EventType.CAPTURED, {"currency": "eur"}, "currency_unknown", "currency"),
    (EventType.CAPTURED, {"currency": "XAU"}, "currency_unknown", "currency"),
    (EventType.CAPTURED, {"provider": "square", "event_id": "square:1", "currency": "CHF"},
     "currency_unknown", "currency"),
    (EventType.CAPTURED, {"amount_minor": None}, "amount_missing", "amount_minor"),
    (EventType.PAYOUT_PAID, {"amount_minor": None}, "amount_missing", "amount_minor"),
    (EventType.CAPTURED, {"amount_minor": -1}, "amount_negative", "amount_minor"),
    (EventType.CAPTURED, {"amount_minor": 10**9 + 1}, "amount_out_of_bounds", "amount_minor"),
    (EventType.PAYOUT_SENT, {"amount_minor": -(10**12)}, "amount_out_of_bounds", "amount_minor"),
    (EventType.CAPTURED, {"fee_minor": 2**62}, "amount_out_of_bounds", "fee_minor"),
    (EventType.CAPTURED, {"capture_id": None}, "id_missing", "capture_id"),
    (EventType.REFUNDED, {"refund_id": ""}, "id_missing", "refund_id"),
    (EventType.DISPUTE_OPENED, {"dispute_id": None}, "id_missing", "dispute_id"),
    (EventType.PAYOUT_PAID, {"payout_id": None}, "id_missing", "payout_id"),
    (EventType.REFUNDED, {"payment_id": None}, "payment_unnamed", "payment_id"),
    (EventType.DISPUTE_CLOSED, {"payment_id": None}, "payment_unnamed", "payment_id"),
    (EventType.DISPUTE_CLOSED, {"status": "warning"}, "dispute_outcome_unknown", "status"),
    (EventType.CAPTURED, {"event_id": "square:evt_1"}, "event_id_malformed", "event_id"),
    (EventType.CAPTURED, {"customer_id": "c" * 256}, "text_too_long", "customer_id"),
    (EventType.CAPTURED, {"account": "a" * 200, "payment_id": "p" * 71}, "text_too_long",
     "account"),
    (EventType.CAPTURED, {"failure_code": "f" * 61}, "text_too_long", "failure_code"),
    (EventType.CAPTURED, {"failure_code": "a\0"}, "text_not_storable", "failure_code"),
    (EventType.CAPTURED, {"card_last4": "42424"}, "card_last4_malformed", "card_last4"),
    (EventType.CAPTURED, {"card_last4": "٤٢٤٢"}, "card_last4_malformed", "card_last4"),
    (EventType.CAPTURED, {"occurred_at": dt.datetime(1999, 12, 31, tzinfo=dt.UTC)},
     "date_too_early", "occurred_at"),
    (EventType.CAPTURED, {"occurred_at": AT + dt.timedelta(days=2)}, "date_in_future",
     "occurred_at"),
    (EventType.CAPTURED, {"occurred_at": AT.replace(tzinfo=None)}, "date_without_offset",
     "occurred_at"),
    (EventType.REFUNDED, {"is_reversal_of": "po_1"}, "reversal_misplaced", "is_reversal_of"),
    (EventType.PAYOUT_SENT, {"is_reversal_of": "po_1"}, "reversal_of_itself", "is_reversal_of"),
]  # fmt: skip


@pytest.mark.parametrize(("event_type", "changes", "code", "field"), BROKEN)
def test_what_is_wrong_is_named(
    event_type: EventType, changes: dict[str, Any], code: str, field: str
) -> None:
    found = validate(an_event(event_type, **changes))
    assert [(problem.code, problem.field) for problem in found] == [(code, field)]


def test_all_that_is_wrong_is_named_at_once() -> None:
    event = an_event(EventType.REFUNDED, refund_id=None, currency="???", card_last4="1")
    assert {problem.field for problem in validate(event)} == {"refund_id", "currency", "card_last4"}


def test_the_longest_texts_are_those_that_the_columns_hold() -> None:
    columns = {
        column.name: column.type.length
        for table in (tables.payment_event, tables.payment, tables.refund, tables.dispute,
                      tables.payout)
        for column in table.columns
        if isinstance(column.type, sa.String) and column.name in MOST_CHARACTERS
    }  # fmt: skip
    assert {name: MOST_CHARACTERS[name] for name in columns} == columns
