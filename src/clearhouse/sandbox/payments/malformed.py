"""Notices that are signed and yet can't be taken: few, each with a label."""

from clearhouse.payments.accounts import DEFAULT
from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments import stripe_wire
from clearhouse.sandbox.payments.adyen import item_time
from clearhouse.sandbox.payments.draws import Ids
from clearhouse.sandbox.payments.output import Fate, Notice, Object, Output, encode
from clearhouse.sandbox.payments.paypal import envelope as paypal_envelope
from clearhouse.sandbox.payments.square import envelope as square_envelope
from clearhouse.sandbox.payments.square import rfc3339

_CHARGES = (
    ("UGX that 100 does not divide", {"amount": 550, "currency": "ugx"}),
    ("KWD whose last digit is not 0", {"amount": 5_125, "currency": "kwd"}),
    ("a currency that is none", {"amount": 500, "currency": "zzz"}),
    ("an amount that is a text", {"amount": "500", "currency": "usd"}),
)


def add(output: Output, seed: int, rounds: int) -> None:
    """Add one of each kind, some times."""
    for nth in range(rounds):
        at = output.horizon - 86_400 * (1 + nth % 25) - nth
        ids = Ids(seed, f"malformed {nth}")
        for label, values in _CHARGES:
            _add(output, Provider.STRIPE, at, _charge(ids, label, at, values), label)
        _add(output, Provider.SQUARE, at, _square(ids, at), "a currency of Square that is not ISO")
        _add(output, Provider.PAYPAL, at, _paypal(ids, at), "yen with a fraction")
        _add(output, Provider.ADYEN, at, _adyen(ids, at), "success that is neither true nor false")
        output.notices.append(
            Notice(Provider.STRIPE, DEFAULT, at, b'{"id":"evt_cut","object":"ev',
                   Fate.DEAD_GATEWAY, "a body that was cut")
        )  # fmt: skip


def _add(output: Output, provider: Provider, at: int, content: bytes | Object, label: str) -> None:
    output.notices.append(Notice(provider, DEFAULT, at, content, Fate.DEAD_NORMALIZER, label))


def _charge(ids: Ids, label: str, at: int, values: Object) -> bytes:
    charge = {
        "id": f"ch_3{ids.text(label, 23)}",
        "amount_captured": values["amount"],
        "captured": True,
        "created": at,
        "livemode": True,
        "payment_intent": f"pi_3{ids.text(label, 23)}",
        "status": "succeeded",
        **values,
    }
    event = {
        "id": f"evt_1{ids.text(label, 23)}",
        "api_version": "2026-06-24.dahlia",
        "created": at,
        "data": {"object": stripe_wire.charge(charge)},
        "livemode": True,
        "type": "charge.succeeded",
    }
    return encode(stripe_wire.event(event))


def _square(ids: Ids, at: int) -> bytes:
    money = {"amount": 1_250, "currency": "XUS"}
    payment = {
        "id": ids.text("square", 29),
        "amount_money": money,
        "created_at": rfc3339(at),
        "source_type": "CARD",
        "status": "COMPLETED",
        "total_money": money,
        "updated_at": rfc3339(at),
    }
    return square_envelope(ids, "square", "payment.updated", at, {"payment": payment})


def _paypal(ids: Ids, at: int) -> bytes:
    capture = {
        "id": ids.upper("capture", 17),
        "amount": {"currency_code": "JPY", "value": "100.50"},
        "links": [],
        "status": "COMPLETED",
    }
    return paypal_envelope(ids, "paypal", "PAYMENT.CAPTURE.COMPLETED", at, capture)


def _adyen(ids: Ids, at: int) -> Object:
    return {
        "additionalData": {},
        "amount": {"currency": "EUR", "value": 100},
        "eventCode": "AUTHORISATION",
        "eventDate": item_time(at),
        "merchantAccountCode": "SandboxEU",
        "merchantReference": f"order:{ids.text('order', 8)}",
        "paymentMethod": "visa",
        "pspReference": ids.upper("adyen", 16),
        "reason": "",
        "success": "maybe",
    }
