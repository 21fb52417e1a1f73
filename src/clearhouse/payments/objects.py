"""What is so of the captures, refunds and disputes of a payment, and what they post.

Facts are known by the object that they are about: the same fact said by two event ids (Stripe's
duplicates, a thin event beside its snapshot) is one. Only Adyen reports one capture several times
and means another fact each time, and withdraws the money of one dispute twice.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from clearhouse.payments import journal
from clearhouse.payments.event import EventType, PaymentEvent, Provider
from clearhouse.payments.journal import Posting, Row
from clearhouse.payments.keys import scope_of
from clearhouse.payments.ordering import (
    NO_CURRENCY,
    ByType,
    by_id,
    by_type,
    latest,
    of_provider,
    times,
)

_OUTCOMES = ("won", "lost", "closed")
_MOVES = frozenset({EventType.FUNDS_WITHDRAWN, EventType.FUNDS_REINSTATED})
_Move = tuple[PaymentEvent, int]
"""How disputed money moved: the event that established it, and how much."""


@dataclass(slots=True)
class Captures:
    """What the captures of a payment come to; amounts by currency."""

    standing: dict[str, int] = field(default_factory=dict)
    stands: bool = False
    first_at: dt.datetime | None = None
    fees: list[int] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)


def captures_of(kinds: ByType) -> Captures:
    """The captures that stand, with the postings of all.

    A capture stands when it was captured more often than it failed afterwards.
    """
    found = Captures()
    captured = by_id(kinds.get(EventType.CAPTURED, ()), "capture_id")
    failed = by_id(kinds.get(EventType.CAPTURE_FAILED, ()), "capture_id")
    for capture_id, events in captured.items():
        taken, lost = _counted(events), _counted(failed.get(capture_id, []))
        amount = latest(events, "amount_minor") or 0
        currency = latest(events, "currency") or NO_CURRENCY
        stands = len(taken) > len(lost)
        if stands:
            found.stands = True
            found.standing[currency] = found.standing.get(currency, 0) + amount
            first_at = min(event.occurred_at for event in events)
            found.first_at = min(found.first_at or first_at, first_at)
            taken = taken[: len(lost) + 1]
        else:
            lost = lost[: len(taken)]
        found.postings += _captured("capture", capture_id, taken, amount, currency)
        found.postings += _captured("capture_failed", capture_id, lost, -amount, currency)
        fees = _fee_posting(f"fee:{capture_id}", events, currency)
        found.fees += [posting.amount_minor for posting in fees]
        found.postings += fees
    return found


def _captured(
    name: str, capture_id: str, said: Sequence[PaymentEvent], amount: int, currency: str
) -> list[Posting]:
    return [
        Posting(_nth(name, capture_id, n), journal.CAPTURE, amount, currency, event)
        for n, event in enumerate(said, 1)
    ]


def refunds_of(
    ordered: Sequence[PaymentEvent], payment_key: str | None, captured: dict[str, int] | None
) -> tuple[list[Row], dict[str, int], list[Posting]]:
    """Rows of the refunds, what stands of them by currency, and their postings.

    Refunds count up to what is captured: providers also report the part of an authorization that
    was never captured as refunded, and no money moved by that.
    """
    rows: list[Row] = []
    postings: list[Posting] = []
    left = dict(captured or {})
    for refund_id, events in by_id(ordered, "refund_id").items():
        kinds = by_type(events)
        succeeded = kinds.get(EventType.REFUNDED, ())
        undone = kinds.get(EventType.REFUND_UNDONE, ())
        amount = latest(events, "amount_minor") or 0
        currency = latest(events, "currency") or NO_CURRENCY
        if undone:
            status = "undone" if succeeded else "failed"
        else:
            status = "succeeded" if succeeded else "pending"
        rows.append({
            "refund_key": f"{scope_of(events[0])}:{refund_id}",
            "payment_key": payment_key,
            **of_provider(events[0]),
            "refund_id": refund_id,
            "status": status,
            "amount_minor": amount,
            "currency": currency,
            "failure_code": latest(events, "failure_code"),
            **times(events),
        })  # fmt: skip
        if not succeeded:
            continue
        counted = amount if captured is None else min(amount, left.get(currency, 0))
        postings.append(
            Posting(f"refund:{refund_id}", journal.REFUND, counted, currency, succeeded[0])
        )
        if undone:
            postings.append(
                Posting(f"refund_undone:{refund_id}", journal.REFUND, -counted, currency, undone[0])
            )
        else:
            left[currency] = left.get(currency, 0) - counted
    stands = {currency: amount - left[currency] for currency, amount in (captured or {}).items()}
    return rows, stands, postings


def disputes_of(
    ordered: Sequence[PaymentEvent], payment_key: str | None
) -> tuple[list[Row], dict[str, int], list[Posting]]:
    """Rows of the disputes, what is still withdrawn by currency, and their postings."""
    rows: list[Row] = []
    postings: list[Posting] = []
    disputed: dict[str, int] = {}
    for dispute_id, events in by_id(ordered, "dispute_id").items():
        kinds = by_type(events)
        currency = latest(events, "currency") or NO_CURRENCY
        taken = _withdrawals(kinds.get(EventType.FUNDS_WITHDRAWN, ()))
        back = _reinstatements(kinds.get(EventType.FUNDS_REINSTATED, ()), at_most=len(taken) or 1)
        withdrawn, reinstated = (sum(amount for _, amount in each) for each in (taken, back))
        disputed[currency] = disputed.get(currency, 0) + withdrawn - reinstated
        postings += _moved("withdrawal", 1, dispute_id, taken, currency)
        postings += _moved("reinstatement", -1, dispute_id, back, currency)
        withdrawals = kinds.get(EventType.FUNDS_WITHDRAWN, ())
        postings += _fee_posting(f"dispute_fee:{dispute_id}", withdrawals, currency)
        rows.append({
            "dispute_key": f"{scope_of(events[0])}:{dispute_id}",
            "payment_key": payment_key,
            **of_provider(events[0]),
            "dispute_id": dispute_id,
            "status": _dispute_status(events),
            "amount_minor": _disputed_amount(events, kinds),
            "withdrawn_minor": withdrawn,
            "reinstated_minor": reinstated,
            "currency": currency,
            **times(events),
        })  # fmt: skip
    return rows, disputed, postings


def _dispute_status(events: Sequence[PaymentEvent]) -> str:
    """How a dispute ended, else open; money that is given back can end it in the same event.

    At Adyen money comes back for the time being: a second chargeback can follow.
    """
    ended = [
        event.status
        for event in events
        if event.event_type is EventType.DISPUTE_CLOSED
        or (
            event.event_type is EventType.FUNDS_REINSTATED
            and event.provider is not Provider.ADYEN
            and event.status in _OUTCOMES
        )
    ]
    return ended[-1] if ended else "open"


def _disputed_amount(events: Sequence[PaymentEvent], kinds: ByType) -> int:
    """What is disputed: of events that move no money, else of withdrawals, else of any.

    Money that moves can be a part of it.
    """
    still = [event for event in events if event.event_type not in _MOVES]
    for among in (still, kinds.get(EventType.FUNDS_WITHDRAWN, ()), events):
        amount: int | None = latest(among, "amount_minor")
        if amount is not None:
            return amount
    return 0


def _withdrawals(events: Sequence[PaymentEvent]) -> list[_Move]:
    """The withdrawals of a dispute: one, and at Adyen one for each of its names.

    Adyen withdraws a second time by another name (SECOND_CHARGEBACK). A name that comes again, with
    another reason or date, is the same withdrawal.
    """
    by_name: dict[str, list[PaymentEvent]] = {}
    for event in events:
        name = event.provider_type if event.provider is Provider.ADYEN else ""
        by_name.setdefault(name, []).append(event)
    return [(same[0], latest(same, "amount_minor") or 0) for same in by_name.values()]


def _reinstatements(events: Sequence[PaymentEvent], at_most: int) -> list[_Move]:
    """The reinstatements of a dispute: no more than its withdrawals."""
    counted = _counted(events)
    if len(counted) == 1:
        return [(counted[0], latest(events, "amount_minor") or 0)]
    return [(event, event.amount_minor or 0) for event in counted[:at_most]]


def _moved(
    name: str, sign: int, dispute_id: str, moves: Sequence[_Move], currency: str
) -> list[Posting]:
    return [
        Posting(_nth(name, dispute_id, n), journal.WITHDRAWAL, sign * amount, currency, event)
        for n, (event, amount) in enumerate(moves, 1)
    ]


def _fee_posting(name: str, events: Sequence[PaymentEvent], currency: str) -> list[Posting]:
    """The fee of an object as its events said it last; none where they say none."""
    fees = [(event, event.fee_minor) for event in events if event.fee_minor is not None]
    return [Posting(name, journal.FEE, fee, currency, event) for event, fee in fees[-1:]]


def _counted(events: Sequence[PaymentEvent]) -> list[PaymentEvent]:
    """Those of the events of one kind about one object that are facts of their own."""
    if events and events[0].provider != Provider.ADYEN:
        return list(events[:1])
    return list(events)


def _nth(name: str, own_id: str, n: int) -> str:
    return f"{name}:{own_id}" if n == 1 else f"{name}:{own_id}#{n}"
