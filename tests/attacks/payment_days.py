"""Days of payments for a home: a log and an operational store, as the services leave them."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from payment_lives import an_event
from payments_home import DEAD, NOT_MAPPED, Home, Sent

from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.payments.world import World

AHEAD = "ahead"
"""A fault: an event that happened days after it was told of."""
SETTLED_TWICE = "settled_twice"
"""Another one: a payout that was told of on the first day is told of again."""
_PAYMENTS = 22
"""Of a day, of two events each."""


def providers(first: dt.date) -> PaymentOptions:
    """The providers that are asked what a payout consists of."""
    return PaymentOptions(seed=7, webhooks=100, today=first)


def leave(path: Path, days: Collection[dt.date], faults: Mapping[dt.date, tuple[str, ...]]) -> None:
    """Let webhooks come to a home, and its services do their work."""
    home, first = Home(path), min(days)
    for day in sorted(days):
        is_told_of = day == first or SETTLED_TWICE in faults.get(day, ())
        payout = [_payout(first, day)] if is_told_of else []
        ahead = dt.timedelta(days=3) if AHEAD in faults.get(day, ()) else dt.timedelta()
        home.receive(day, [*_events(day, ahead), *payout, DEAD, NOT_MAPPED])


def _events(day: dt.date, ahead: dt.timedelta) -> Iterator[Sent]:
    """Payments of a day; the capture of the last one is ahead, and is delivered twice."""
    for n in range(_PAYMENTS):
        is_last = n == _PAYMENTS - 1
        of = {"payment_id": f"pi_{day:%d}_{n}", "customer_id": "cus_1", "method": "card"}
        yield _at(day, EventType.AUTHORIZED, event_id=f"stripe:auth_{day:%d}_{n}", **of)
        captured = _at(
            day + ahead if is_last else day, EventType.CAPTURED, fee_minor=59,
            event_id=f"stripe:cap_{day:%d}_{n}", capture_id=f"ch_{day:%d}_{n}", **of,
        )  # fmt: skip
        yield captured
    yield captured


def _payout(first: dt.date, day: dt.date) -> PaymentEvent:
    """The first payout of the providers' world."""
    options = providers(first)
    paid = World(options.seed, options.webhooks, today=options.today).truth["payout"][0]
    of = {name: paid[name] for name in ("account", "payout_id", "amount_minor", "currency")}
    return _at(day, EventType.PAYOUT_PAID, event_id=f"stripe:paid_{day:%d}", **of)


def _at(day: dt.date, kind: EventType, **changes: Any) -> PaymentEvent:
    noon = dt.datetime.combine(day, dt.time(11), dt.UTC)
    return an_event(kind, occurred_at=noon, **changes)
