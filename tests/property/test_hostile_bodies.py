"""Bodies that nobody promised: whatever comes, one webhook in is one message out."""

import copy
import json
import random

import payment_notifications as n
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import PaymentEvent, decode_event, encode_event
from clearhouse.payments.normalizing import needs_fetch
from clearhouse.payments.problem import Problem

MUTATIONS = 100_000
SEED = 20_261_102

_REAL = [
    n.stripe("charge.captured", n.charge(balance_transaction={"fee": 163, "currency": "usd"})),
    n.stripe("charge.refunded", n.charge(refunds={"data": [n.refund()]}), api_version="2020-08-27"),
    n.stripe("payment_intent.payment_failed", n.intent(last_payment_error={"code": "x"})),
    n.stripe("charge.dispute.closed", n.dispute(status="won"), account="acct_1"),
    n.stripe("payout.paid", n.payout(original_payout="po_0")),
    n.adyen("CAPTURE"),
    n.adyen("CANCEL_OR_REFUND", additionalData={"modification.action": "refund"}),
    n.square("payment.updated", "payment", n.square_payment()),
    n.square("payout.failed", "payout", {"id": "p", "version": 3, "amount_money": n.usd(1)}),
    n.paypal("PAYMENT.CAPTURE.REFUNDED", n.paypal_refund()),
    n.paypal("CUSTOMER.DISPUTE.UPDATED", n.paypal_dispute(money_movements=[{"type": "CREDIT"}])),
    n.paypal("PAYMENT.PAYOUTS-ITEM.FAILED", n.paypal_item(errors={"name": "x"})),
]
_STRANGE = [
    None, True, False, 0, -1, 1.5, 10**30, -(10**30), "", " ", "null", "false", "\x00", "é" * 300,
    "4242424242424242", "\u202e", "9" * 400, [], {}, [[]], {"id": None}, "2026-13-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "NaN", "-0", "1e400", "XXX", "XAU",
]  # fmt: skip


def _is_one_message(webhook):
    """One of the three, whose event can be kept."""
    needs_fetch(webhook)
    found = n.outcome(webhook)
    if isinstance(found, PaymentEvent):
        assert decode_event(encode_event(found)) == found
        assert len(found.event_id) <= 300
        assert found.amount_minor is not None
        assert abs(found.amount_minor) < 1 << 63
        assert not (found.card_last4 and len(found.card_last4) != 4)
        assert "\x00" not in repr(found.merchant_reference)
        return
    if isinstance(found, list):
        assert found
        assert all(isinstance(each, Problem) and each.code and each.reason for each in found)
        return
    assert isinstance(found, Unmapped)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["id", "type", "object", "data", "amount", "currency", "status", "livemode", "created",
             "notificationItems", "NotificationRequestItem", "event_type", "resource", "event_id",
             "merchant_id", "payment", "amount_money", "value", "eventCode", "success"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=1_000)
@given(st.sampled_from(["stripe", "adyen", "square", "paypal"]), _JSON)
def test_any_json_is_one_message(provider, body):
    _is_one_message(n.stored(provider, body))


@settings(max_examples=1_000)
@given(st.sampled_from(["stripe", "adyen", "square", "paypal"]), st.text(max_size=200))
def test_any_text_is_one_message(provider, body):
    _is_one_message(n.stored(provider, body))


@pytest.mark.parametrize("number", range(len(_REAL)))
def test_each_part_of_a_real_body_replaced_or_left_out_is_one_message(number):
    webhook = _REAL[number]
    whole = json.loads(webhook.body)
    for path in list(_paths(whole)):
        for strange in (*_STRANGE, ...):
            _is_one_message(n.stored(webhook.provider, _changed(whole, path, strange)))


def test_seeded_mutations_of_real_bodies_are_one_message_each():
    rng = random.Random(SEED)
    for mutation in range(MUTATIONS):
        webhook = rng.choice(_REAL)
        body = _mutated(webhook.body, rng)
        try:
            _is_one_message(n.stored(webhook.provider, body))
        except Exception as error:
            raise AssertionError(f"seed {SEED}, mutation {mutation}: {body!r}") from error


def _paths(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield from _paths(inner, (*path, key))


def _changed(whole, path, strange):
    """The body with the part at a path replaced, or left out for `...`."""
    if not path:
        return {} if strange is ... else strange
    body = copy.deepcopy(whole)
    holder = body
    for key in path[:-1]:
        holder = holder[key]
    if strange is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = strange
    return body


def _mutated(text, rng):
    """Characters replaced, doubled, cut or moved; two bodies joined."""
    for _ in range(rng.randint(1, 4)):
        at, end = sorted(rng.choices(range(len(text) + 1), k=2))
        end = min(end, at + 8)
        kind = rng.randrange(5)
        if kind == 0:
            text = text[:at] + text[end:]
        elif kind == 1:
            text = text[:end] + text[at:]
        elif kind == 2:
            text = text[:at] + rng.choice('{}[]",:0-9eE.\\ \u0000é') + text[end:]
        elif kind == 3:
            text = text[:at]
        else:
            other = rng.choice(_REAL).body
            text = text[:at] + other[rng.randrange(len(other)) :]
    return text
