"""Faults of single records of the BNPL source: seeded, and on the text that is sent.

Each takes the records of a day as JSON texts, in the order in which they are sent, and gives them
as they come with the fault. At least one record is hit. The framing of the stream stays whole.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from clearhouse.sandbox.rng import Entity, sample, stream
from clearhouse.sandbox.simtom import wire
from clearhouse.sandbox.simtom.purchases import latecomers

Rng = np.random.Generator
Record = dict[str, Any]

_DUPLICATED_SHARE = 0.02
_CORRECTED_SHARE = 0.01
_NEW_FIELD_SHARE = 0.03
_BROKEN_SHARE = 0.004  # of each kind: a day with one or two of them keeps within 1 % broken
_LATECOMERS = 5
_FAULTS_PER_DAY = 64  # room in the numbering of the random streams


@dataclass(frozen=True)
class Day:
    """A day as it is being sent.

    Attributes:
        world: the server's own seed, whatever a request asks for: a late record is the same one
            in every answer that brings it.
    """

    day: dt.date
    world: int
    texts: list[bytes]


def late(day: Day, _rng: Rng) -> list[bytes]:
    """Some purchases of the day before, which no earlier answer had, come at the end."""
    return day.texts + _latecomers(day, days_before=1)


def redelivered(day: Day, _rng: Rng) -> list[bytes]:
    """What `late` put into the answer of the day before comes again, byte for byte."""
    return day.texts + _latecomers(day, days_before=2)


def corrected(day: Day, rng: Rng) -> list[bytes]:
    """1 % of the records come again at the end, under the same key, with a lower amount."""
    return day.texts + [_lower(day.texts[at]) for at in _hits(day, _CORRECTED_SHARE, rng)]


def new_fields(day: Day, rng: Rng) -> list[bytes]:
    """3 % of the records have fields that nobody announced; one of them changes its type."""
    return _each(day, _NEW_FIELD_SHARE, rng, _NEW_FIELDS)


def missing_fields(day: Day, rng: Rng) -> list[bytes]:
    """0.4 % of the records lack a field, or have null in it, that each should have."""
    return _each(day, _BROKEN_SHARE, rng, _MISSING)


def wrong_types(day: Day, rng: Rng) -> list[bytes]:
    """0.4 % of the records have a value of another type, or money that is not exact."""
    return _each(day, _BROKEN_SHARE, rng, _WRONG_TYPES)


def shadowed_fields(day: Day, rng: Rng) -> list[bytes]:
    """0.4 % of the records begin with an object that has a key and an amount of its own."""
    return _each(day, _BROKEN_SHARE, rng, (_shadowed,))


def broken_json(day: Day, rng: Rng) -> list[bytes]:
    """0.4 % of the records are not one JSON object, or not text at all."""
    return _each(day, _BROKEN_SHARE, rng, _BROKEN)


def duplicates(day: Day, rng: Rng) -> list[bytes]:
    """2 % of the records come twice: every second one at once, the others at the end."""
    again = _hits(day, _DUPLICATED_SHARE, rng)
    at_once, at_the_end = set(again[::2]), again[1::2]
    sent = [text for at, text in enumerate(day.texts) for _ in range(1 + (at in at_once))]
    return sent + [day.texts[at] for at in at_the_end]


# In this order, whatever the order asked for: what mends the text of a record comes before what
# breaks it. The position of a fault numbers its random stream.
RECORD_FAULTS: Mapping[str, Callable[[Day, Rng], list[bytes]]] = MappingProxyType(
    {
        "late": late,
        "redelivered": redelivered,
        "corrected": corrected,
        "new_fields": new_fields,
        "missing_fields": missing_fields,
        "wrong_types": wrong_types,
        "shadowed_fields": shadowed_fields,
        "broken_json": broken_json,
        "duplicates": duplicates,
    }
)


def apply(kinds: list[str], seed: int, day: Day) -> list[bytes]:
    """The records of a day as they come with the named faults; other names are not for here."""
    texts = day.texts
    for index, (kind, fault) in enumerate(RECORD_FAULTS.items()):
        if kind in kinds and texts:
            number = day.day.toordinal() * _FAULTS_PER_DAY + index
            rng = stream(seed, Entity.RECORD_FAULT, number)
            texts = fault(Day(day.day, day.world, texts), rng)
    return texts


def _hits(day: Day, share: float, rng: Rng) -> list[int]:
    hits: list[int] = np.flatnonzero(sample(len(day.texts), share, rng)).tolist()
    return hits


Change = Callable[[Record], Record | bytes]


def _each(day: Day, share: float, rng: Rng, changes: tuple[Change, ...]) -> list[bytes]:
    """The texts with one change after the other put to a share of them."""
    texts = list(day.texts)
    first = int(rng.integers(len(changes)))
    for turn, at in enumerate(_hits(day, share, rng), start=first):
        record = _record(texts[at])
        if record is not None:
            changed = changes[turn % len(changes)](record)
            texts[at] = changed if isinstance(changed, bytes) else _text(changed)
    return texts


def _record(text: bytes) -> Record | None:
    """A record that an earlier fault has not changed beyond reading, else None."""
    try:
        record: Record = json.loads(text)
    except ValueError:
        return None
    return record if isinstance(record.get("amount"), float) else None


def _text(record: Record) -> bytes:
    return json.dumps(record).encode()


def _latecomers(day: Day, *, days_before: int) -> list[bytes]:
    origin = day.day - dt.timedelta(days=days_before)
    return split(wire.encode(latecomers(day.world, origin, _LATECOMERS)))


def split(stream_text: bytes) -> list[bytes]:
    """The JSON texts of a whole stream of records."""
    return [record.removeprefix(b"data: ") for record in stream_text.split(b"\n\n") if record]


def join(texts: list[bytes]) -> bytes:
    """The stream of these JSON texts."""
    return b"".join(b"data: %b\n\n" % text for text in texts)


def _lower(text: bytes) -> bytes:
    record = _record(text)
    if record is None:
        return text
    cents, payments = round(record["amount"] * 100), int(record["installment_count"])
    lower = cents * 9 // 10
    first = (2 * lower + payments) // (2 * payments)
    return _text({**record, "amount": lower / 100, "first_payment_amount": first / 100})


# --- new fields -----------------------------------------------------------------------------------

_NEW_FIELDS: tuple[Change, ...] = (
    lambda r: {**r, "loyalty_tier": "gold", "basket_size": 3, "is_gift": True},
    lambda r: {**r, "merchant_score": 0.82, "promo_code": None},
    lambda r: {**r, "merchant": {"id": "m_17", "amount": 0.01, "tags": ["new", "eu"]}},
    lambda r: {**r, "merchant_score": "n/a"},
)

# --- missing fields -------------------------------------------------------------------------------


def _without(name: str) -> Change:
    return lambda record: {key: value for key, value in record.items() if key != name}


def _with(name: str, value: object) -> Change:
    return lambda record: {**record, name: value}


_MISSING: tuple[Change, ...] = (
    _without("amount"),
    _with("risk_score", None),
    _without("currency"),
    _with("_timestamp", None),
    _without("customer_id"),
    _with("amount", None),
    _without("transaction_id"),
)

# --- wrong types ----------------------------------------------------------------------------------


def _in_text(name: str, written: Callable[[str], str]) -> Change:
    """A number written otherwise, as no JSON writer of Python would."""

    def change(record: Record) -> bytes:
        before = f'"{name}": {json.dumps(record[name])},'
        after = f'"{name}": {written(json.dumps(record[name]))},'
        return _text(record).replace(before.encode(), after.encode(), 1)

    return change


_WRONG_TYPES: tuple[Change, ...] = (
    lambda r: {**r, "installment_count": r["installment_count"] + 0.27},
    lambda r: {**r, "device_is_trusted": 1.0995},
    lambda r: {**r, "amount": str(r["amount"])},
    _with("will_default", 0),
    _in_text("amount", lambda number: f"{number}8307230633"),
    _with("risk_score", "high"),
    _in_text("product_price", lambda number: f"{number}e0"),
    _with("customer_id", 17),
    lambda r: {**r, "_timestamp": r["_timestamp"] + "+02:00"},
    _with("status", ["completed"]),
    _in_text("time_on_site_seconds", lambda number: f"{number}.0"),
)

# --- shadowed fields and broken JSON --------------------------------------------------------------


def _shadowed(record: Record) -> Record:
    return {"refund": {"transaction_id": "txn_refund", "amount": 0.01}, **record}


def _halved(record: Record) -> bytes:
    text = _text(record)
    return text[: len(text) // 2]


_BROKEN: tuple[Change, ...] = (
    _halved,
    _in_text("amount", lambda number: "NaN"),
    lambda r: _text(r).replace(b'"status": "', b'"status": "\xff\xfe'),
    lambda r: _text(r)[:-1] + b', "amount": 0.01}',
    lambda r: _text(r) + _text(r),
    lambda r: _text(r).replace(b'"', b"'"),
    lambda r: b"[" + _text(r) + b"]",
    lambda r: b"<html><body>502 Bad Gateway</body></html>",
)
