"""What is so of a payment or a payout, folded from the set of its events.

Pure, and free of order: any permutation and any duplication of a set of events gives the same rows
(see `ordering` for ties, and `objects` for what is one fact).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from clearhouse.payments import journal
from clearhouse.payments.event import EventType, PaymentEvent, Provider
from clearhouse.payments.journal import Posting, Row, naive_utc
from clearhouse.payments.keys import root_of, scope_of
from clearhouse.payments.objects import captures_of, disputes_of, refunds_of
from clearhouse.payments.ordering import (
    NO_CURRENCY,
    ByType,
    by_id,
    by_type,
    in_order,
    latest,
    latest_of_each,
    of_provider,
    times,
)


@dataclass(slots=True)
class Folded:
    """Rows of the tables of the same names (`payments.store.tables`).

    `payment` is None where no event names the payment by an id.
    """

    payment: Row | None
    refunds: list[Row] = field(default_factory=list)
    disputes: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class FoldedPayout:
    """Rows of the tables `payout` and `journal_line`."""

    payout: Row
    lines: list[Row] = field(default_factory=list)


_OF_A_PAYMENT = attrgetter(
    "merchant_reference", "method", "card_brand", "card_last4", "customer_id"
)


def fold_payment(events: Iterable[PaymentEvent]) -> Folded:
    """Fold the events of one payment, at least one of which names it by an id."""
    ordered = in_order(events)
    scope = scope_of(ordered[0])
    payment_id = root_of(
        (event.payment_id, event.linked_id) for event in ordered if event.payment_id is not None
    )
    key = f"{scope}:{payment_id}"
    kinds = by_type(ordered)
    captures = captures_of(kinds)
    refunds, refunded, refund_postings = refunds_of(ordered, key, captures.standing)
    disputes, disputed, dispute_postings = disputes_of(ordered, key)
    currency = _currency(ordered, kinds)
    captured_minor = captures.standing.get(currency or "", 0)
    refunded_minor = refunded.get(currency or "", 0)
    failed = kinds.get(EventType.FAILED, ())
    authorized = [
        event.amount_minor
        for event in kinds.get(EventType.AUTHORIZED, ())
        if event.amount_minor is not None
    ]
    reference, method, brand, last4, customer = latest_of_each(ordered, _OF_A_PAYMENT)
    payment: Row = {
        "payment_key": key,
        **of_provider(ordered[0]),
        "payment_id": payment_id,
        "merchant_reference": reference,
        "status": _payment_status(ordered, captures.stands, captured_minor, refunded_minor),
        "currency": currency,
        "authorized_minor": max(authorized, default=None),
        "captured_minor": captured_minor,
        "refunded_minor": refunded_minor,
        "disputed_minor": disputed.get(currency or "", 0),
        "fee_minor": sum(captures.fees) if captures.fees else None,
        "failures": len({event.capture_id or event.event_id for event in failed}),
        "failure_code": latest(failed, "failure_code"),
        "method": method,
        "card_brand": brand,
        "card_last4": last4,
        "customer_id": customer,
        **times(ordered),
        "captured_at": None if captures.first_at is None else naive_utc(captures.first_at),
        "events": len(ordered),
    }
    postings = (*captures.postings, *refund_postings, *dispute_postings)
    lines = [line for posting in postings for line in journal.lines(key, posting)]
    return Folded(payment, refunds, disputes, lines)


def fold_unlinked(events: Iterable[PaymentEvent]) -> Folded:
    """Fold the events of one dispute or refund whose payment is not known.

    Its lines stand under the key of the dispute or refund.
    """
    ordered = in_order(events)
    refunds, _, postings = refunds_of(ordered, None, None)
    disputes, _, dispute_postings = disputes_of(ordered, None)
    subject = disputes[0]["dispute_key"] if disputes else refunds[0]["refund_key"]
    lines = [
        line
        for posting in (*postings, *dispute_postings)
        for line in journal.lines(subject, posting)
    ]
    return Folded(None, refunds, disputes, lines)


def fold_payout(
    events: Iterable[PaymentEvent], reversals: Iterable[PaymentEvent] = ()
) -> FoldedPayout:
    """Fold the events of one payout.

    Args:
        events: at least one.
        reversals: those of the payouts that take this one back (`PaymentEvent.is_reversal_of`).
            They make it reversed; the money that came back is posted by their own payout.
    """
    ordered = in_order(events)
    first = ordered[0]
    status = _payout_status(ordered)
    if any(_payout_status(own) not in _PAYOUT_UNDONE for own in _each_payout(reversals)):
        status = "reversed"
    key = f"{scope_of(first)}:{first.payout_id}"
    currency = latest(ordered, "currency") or NO_CURRENCY
    amount = latest(ordered, "amount_minor") or 0
    payout: Row = {
        "payout_key": key,
        **of_provider(first),
        "payout_id": first.payout_id,
        "status": status,
        "amount_minor": amount,
        "currency": currency,
        "failure_code": latest(ordered, "failure_code"),
        "is_reversal_of": latest(ordered, "is_reversal_of"),
        **times(ordered),
    }
    money = -abs(amount) if payout["is_reversal_of"] else amount
    postings = _payout_postings(ordered, money, currency)
    return FoldedPayout(payout, [line for each in postings for line in journal.lines(key, each)])


_ATTEMPTS = frozenset(
    {EventType.PENDING, EventType.FAILED, EventType.CAPTURED, EventType.CAPTURE_FAILED}
)


def _payment_status(
    ordered: Sequence[PaymentEvent], stands: bool, captured: int, refunded: int
) -> str:
    if stands:
        if not refunded:
            return "captured"
        return "refunded" if refunded == captured else "partially_refunded"
    kinds = [event.event_type for event in ordered]
    for kind in (EventType.CANCELED, EventType.AUTHORIZED):
        if kind in kinds:
            return kind.value
    attempts = [kind for kind in kinds if kind in _ATTEMPTS]
    return "failed" if attempts and attempts[-1] is not EventType.PENDING else "pending"


_PAYOUT_UNDONE = ("failed", "canceled", "reversed")
_PAYOUT_STATUS = {
    EventType.PAYOUT_SENT: "sent",
    EventType.PAYOUT_PAID: "paid",
    EventType.PAYOUT_CANCELED: "canceled",
    EventType.PAYOUT_FAILED: "failed",
    EventType.PAYOUT_REVERSED: "reversed",
}
_PAYOUT_RANK = {status: rank for rank, status in enumerate(_PAYOUT_STATUS.values())}


def _payout_status(ordered: Sequence[PaymentEvent]) -> str:
    """Of the newest version of the payout, the status that nothing follows."""
    newest = max(event.object_version or 0 for event in ordered)
    said = (
        _PAYOUT_STATUS[event.event_type]
        for event in ordered
        if (event.object_version or 0) == newest
    )
    return max(said, key=_PAYOUT_RANK.__getitem__)


def _payout_postings(ordered: Sequence[PaymentEvent], amount: int, currency: str) -> list[Posting]:
    """The payout once, and its reversal where it was undone by events of its own."""
    payout_id = ordered[0].payout_id
    by_status = {_PAYOUT_STATUS[event.event_type]: event for event in reversed(ordered)}
    sent = by_status.get("sent") or by_status.get("paid")
    if sent is None:
        return []
    is_ours = not any(map(_pays_third_party, ordered))
    accounts = journal.PAYOUT if is_ours else journal.THIRD_PARTY_PAYOUT
    postings = [Posting(f"payout:{payout_id}", accounts, amount, currency, sent)]
    status = _payout_status(ordered)
    if status in _PAYOUT_UNDONE:
        postings.append(
            Posting(f"payout_{status}:{payout_id}", accounts, -amount, currency,
                    by_status[status])
        )  # fmt: skip
    return postings


_ADYEN_TO_THIRD_PARTIES = frozenset(
    {"PAYOUT_THIRDPARTY", "PAYOUT_DECLINE", "PAYOUT_EXPIRE", "PAIDOUT_REVERSED"}
)


def _pays_third_party(event: PaymentEvent) -> bool:
    """Whether a payout goes to others than the merchant: all of PayPal's do, some of Adyen's."""
    return event.provider is Provider.PAYPAL or (
        event.provider is Provider.ADYEN and event.provider_type in _ADYEN_TO_THIRD_PARTIES
    )


def _each_payout(events: Iterable[PaymentEvent]) -> list[list[PaymentEvent]]:
    return list(by_id(in_order(events), "payout_id").values())


def _currency(ordered: Sequence[PaymentEvent], kinds: ByType) -> str | None:
    """Of the captures where there are any: a dispute or a refund can be in another one."""
    found: str | None = latest(kinds.get(EventType.CAPTURED, ()), "currency")
    return found or latest(ordered, "currency")
