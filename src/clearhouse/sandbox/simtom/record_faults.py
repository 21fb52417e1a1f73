"""Faults of single records of simtom."""

import datetime as dt

from clearhouse.sandbox import record_faults
from clearhouse.sandbox.record_faults import (
    BROKEN_SHARE,
    CORRECTED_SHARE,
    NEW_FIELD_SHARE,
    Change,
    JsonText,
    Record,
    RecordFault,
)
from clearhouse.sandbox.simtom import wire
from clearhouse.sandbox.simtom.purchases import latecomers

_LATECOMERS = 5

_JSON = JsonText(is_intact=lambda record: isinstance(record.get("amount"), float))


def _late_records(seed: int, day: dt.date) -> list[bytes]:
    """Purchases of a day that no answer for that day has."""
    return wire.STREAM.split(wire.encode(latecomers(seed, day, _LATECOMERS)))


def _lower_amount(record: Record) -> Record:
    cents, payments = round(record["amount"] * 100), int(record["installment_count"])
    lower = cents * 9 // 10
    first = (2 * lower + payments) // (2 * payments)
    return {**record, "amount": lower / 100, "first_payment_amount": first / 100}


_NEW_FIELDS: tuple[Change, ...] = (
    _JSON.having(loyalty_tier="gold", basket_size=3, is_gift=True),
    _JSON.having(merchant_score=0.82, promo_code=None),
    _JSON.having(merchant={"id": "m_17", "amount": 0.01, "tags": ["new", "eu"]}),
    _JSON.having(merchant_score="n/a"),
)

_MISSING: tuple[Change, ...] = (
    _JSON.lacking("amount"),
    _JSON.having(risk_score=None),
    _JSON.lacking("currency"),
    _JSON.having(_timestamp=None),
    _JSON.lacking("customer_id"),
    _JSON.having(amount=None),
    _JSON.lacking("transaction_id"),
)

_WRONG_TYPES: tuple[Change, ...] = (
    _JSON.record(lambda r: {**r, "installment_count": r["installment_count"] + 0.27}),
    _JSON.having(device_is_trusted=1.0995),
    _JSON.record(lambda r: {**r, "amount": str(r["amount"])}),
    _JSON.having(will_default=0),
    _JSON.rewritten("amount", lambda number: f"{number}8307230633"),
    _JSON.having(risk_score="high"),
    _JSON.rewritten("product_price", lambda number: f"{number}e0"),
    _JSON.having(customer_id=17),
    _JSON.record(lambda r: {**r, "_timestamp": r["_timestamp"] + "+02:00"}),
    _JSON.having(status=["completed"]),
    _JSON.rewritten("time_on_site_seconds", lambda number: f"{number}.0"),
)

_SHADOWED = _JSON.record(
    lambda r: {"refund": {"transaction_id": "txn_refund", "amount": 0.01}, **r}
)

_HALF, *_OTHERS = record_faults.breakages(_JSON)
_BROKEN: tuple[Change, ...] = (
    _HALF,
    _JSON.rewritten("amount", lambda number: "NaN"),
    _JSON.text(lambda text: text.replace(b'"status": "', b'"status": "\xff\xfe')),
    _JSON.text(lambda text: text[:-1] + b', "amount": 0.01}'),
    *_OTHERS,
)

RECORD_FAULTS: dict[str, RecordFault] = {
    # Some purchases of the day before come at the end, for the first time.
    "late": record_faults.late(_late_records, days_before=1),
    # What `late` put into the answer of the day before comes again, byte for byte.
    "redelivered": record_faults.late(_late_records, days_before=2),
    # Records come again under the same key, with a lower amount.
    "corrected": record_faults.sent_again(CORRECTED_SHARE, _JSON.record(_lower_amount)),
    # Fields that nobody announced; one of them changes its type.
    "new_fields": record_faults.changed(NEW_FIELD_SHARE, _NEW_FIELDS),
    # A required field is absent or null.
    "missing_fields": record_faults.changed(BROKEN_SHARE, _MISSING),
    # A value of another type, or money that is not exact.
    "wrong_types": record_faults.changed(BROKEN_SHARE, _WRONG_TYPES),
    # An object with a key and an amount of its own stands first.
    "shadowed_fields": record_faults.changed(BROKEN_SHARE, (_SHADOWED,)),
    # Not one JSON object, or not text at all.
    "broken_json": record_faults.changed(BROKEN_SHARE, _BROKEN),
    "duplicates": record_faults.duplicates,
}
