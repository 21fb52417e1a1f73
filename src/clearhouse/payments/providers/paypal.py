"""PayPal: payments of API v2, disputes, sales and payouts. Amounts are decimal texts.

A capture is a payment of its own id; the authorization that it stems from is `linked_id`. Money of
a dispute is taken by PAYMENT.CAPTURE.REVERSED and given back by a CREDIT among the dispute's
`money_movements`, told while it goes on or when it ends; a DEBIT there is the same money as the
reversal and is not posted again.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec

from clearhouse.payments.accounts import DEFAULT
from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.payments.providers import paypal_payouts, paypal_sales
from clearhouse.payments.providers.notice import (
    NOTHING,
    Notice,
    by_status,
    decode,
    first_with,
    in_utc,
    needed_id,
    optional_id,
    prefixed,
    reference,
    word,
)
from clearhouse.payments.providers.paypal_parts import AT, Amount, Link, Said, amount_of
from clearhouse.payments.providers.refusal import RefusedError

_Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]

_CAPTURE_TYPES = {
    "PAYMENT.CAPTURE.COMPLETED": EventType.CAPTURED,
    "PAYMENT.CAPTURE.PENDING": EventType.PENDING,
    "PAYMENT.CAPTURE.DENIED": EventType.FAILED,
    "PAYMENT.CAPTURE.DECLINED": EventType.FAILED,
}
_AUTHORIZATION_STATUSES = {"PENDING": EventType.PENDING, "DENIED": EventType.FAILED}
_REFUND_STATUSES = {
    "COMPLETED": EventType.REFUNDED,
    "PENDING": EventType.REFUND_PENDING,
    "FAILED": EventType.REFUND_UNDONE,
    "CANCELLED": EventType.REFUND_UNDONE,
}
_CLOSED_AS = {
    "RESOLVED_BUYER_FAVOUR": "lost",
    "ACCEPTED": "lost",
    "RESOLVED_SELLER_FAVOUR": "won",
    "DENIED": "won",
    "CANCELED_BY_BUYER": "closed",
    "RESOLVED_WITH_PAYOUT": "closed",  # PayPal paid, to whom it does not say
    "NONE": "closed",
}
_NOT_MAPPED = {
    "not_posted": ("CHECKOUT.", "PAYMENT.ORDER.", "PAYMENT.PAYOUTSBATCH."),
    "no_money": (
        "BILLING.", "CATALOG.", "CUSTOMER.", "IDENTITY.", "INVOICING.", "MERCHANT.", "RISK.",
        "VAULT.",
    ),
}  # fmt: skip


class _Related(msgspec.Struct):
    authorization_id: str | None = None
    capture_id: str | None = None


class _Supplementary(msgspec.Struct):
    related_ids: _Related | None = None


class _PlatformFee(msgspec.Struct):
    amount: Amount


class _Breakdown(msgspec.Struct):
    paypal_fee: Amount | None = None
    platform_fees: list[_PlatformFee] = []


class _Details(msgspec.Struct):
    reason: str | None = None


class _Processor(msgspec.Struct):
    response_code: str | None = None


class _Payment(msgspec.Struct):
    """An authorization, a capture or a refund."""

    id: str
    amount: Amount
    status: str | None = None
    custom_id: str | None = None
    invoice_id: str | None = None
    links: list[Link] = []
    status_details: _Details | None = None
    processor_response: _Processor | None = None
    supplementary_data: _Supplementary | None = None
    seller_receivable_breakdown: _Breakdown | None = None

    def up(self, kind: str) -> str | None:
        """The id of what this came from, where a link names such an object."""
        ups = (link.href.split("?")[0].rstrip("/") for link in self.links if link.rel == "up")
        return next((u.rpartition("/")[2] for u in ups if f"/{kind}/" in u), None)

    @property
    def related(self) -> _Related:
        """Ids of other objects of the payment."""
        more = self.supplementary_data
        return (more.related_ids if more else None) or _Related()

    def authorization(self) -> str | None:
        """The authorization that it stems from."""
        named = self.related.authorization_id or self.up("authorizations")
        return optional_id(named, f"{AT}.supplementary_data.related_ids.authorization_id")

    def capture(self) -> str | None:
        """The capture that it takes money back from."""
        named = self.up("captures") or self.related.capture_id
        return optional_id(named, f"{AT}.links[rel=up].href")


class _Transaction(msgspec.Struct):
    seller_transaction_id: str | None = None


class _Outcome(msgspec.Struct):
    outcome_code: str | None = None


class _Movement(msgspec.Struct):
    affected_party: str | None = None
    type: str | None = None
    reason: str | None = None
    amount: Amount | None = None


class _Dispute(msgspec.Struct):
    dispute_id: str
    dispute_amount: Amount
    status: str | None = None
    disputed_transactions: list[_Transaction] = []
    dispute_outcome: _Outcome | None = None
    outcome_code: str | None = None
    money_movements: list[_Movement] = []


class _Event(msgspec.Struct):
    id: str
    create_time: _Moment
    event_type: str
    resource: msgspec.Raw = NOTHING
    resource_version: str | None = None
    links: list[Link] = []


_EVENT = msgspec.json.Decoder(_Event)
_PAYMENT = msgspec.json.Decoder(_Payment)
_DISPUTE = msgspec.json.Decoder(_Dispute)


def normalize(notice: Notice) -> PaymentEvent | Unmapped:
    """The event that a notification says.

    Raises:
        RefusedError: it can't be read.
    """
    head = decode(_EVENT, notice.body)
    is_live = not any("//api.sandbox." in x.href or ".sandbox.paypal" in x.href for x in head.links)
    account = notice.webhook.account
    own = "" if account == DEFAULT else account
    event_id = prefixed(notice.provider, own, is_live, needed_id(head.id, "id"))
    reader = _READERS.get(head.event_type)
    if reader is None:
        why = first_with(_NOT_MAPPED, head.event_type)
        return notice.unmapped(head.event_type, why, event_id, account)
    return notice.event(
        event_id,
        account,
        livemode=is_live,
        provider_type=head.event_type,
        api_version=word(head.resource_version),
        occurred_at=in_utc(head.create_time, "create_time"),
        **reader(notice, head.resource, head.event_type),
    )


def _authorization(notice: Notice, data: msgspec.Raw, kind: str) -> Said:
    found = decode(_PAYMENT, data, AT)
    event_type = _AUTHORIZATION_STATUSES.get(found.status or "", EventType.AUTHORIZED)
    if kind == "PAYMENT.AUTHORIZATION.VOIDED":
        event_type = EventType.CANCELED
    return {
        "event_type": event_type,
        "payment_id": needed_id(found.id, f"{AT}.id"),
        **_common(notice, found),
    }


def _capture(notice: Notice, data: msgspec.Raw, kind: str) -> Said:
    found = decode(_PAYMENT, data, AT)
    capture_id = needed_id(found.id, f"{AT}.id")
    common = _common(notice, found)
    if _CAPTURE_TYPES[kind] is EventType.FAILED and found.processor_response is not None:
        common["failure_code"] = (
            word(found.processor_response.response_code) or common["failure_code"]
        )
    return {
        "event_type": _CAPTURE_TYPES[kind],
        "payment_id": capture_id,
        "linked_id": found.authorization(),
        "capture_id": capture_id,
        "fee_minor": _fee(notice, found, common["currency"]),
        **common,
    }


def _refund(notice: Notice, data: msgspec.Raw, _kind: str) -> Said:
    found = decode(_PAYMENT, data, AT)
    capture_id = found.capture()
    return {
        "event_type": by_status(_REFUND_STATUSES, found.status, f"{AT}.status"),
        "payment_id": capture_id,
        "linked_id": found.related.authorization_id and found.authorization(),
        "capture_id": capture_id,
        "refund_id": needed_id(found.id, f"{AT}.id"),
        **_common(notice, found),
    }


def _reversal(notice: Notice, data: msgspec.Raw, _kind: str) -> Said:
    """Money taken back by a bank or a dispute: the resource is a refund of the capture, or it."""
    found = decode(_PAYMENT, data, AT)
    own = needed_id(found.id, f"{AT}.id")
    capture_id = found.capture() or own
    return {
        "event_type": EventType.FUNDS_WITHDRAWN,
        "payment_id": capture_id,
        "linked_id": found.related.authorization_id and found.authorization(),
        "capture_id": capture_id,
        "dispute_id": f"reversal:{own}",
        **_common(notice, found),
    }


def _common(notice: Notice, found: _Payment) -> Said:
    details = found.status_details or _Details()
    return {
        "merchant_reference": reference(found.invoice_id) or reference(found.custom_id),
        "status": (word(found.status) or "").lower(),
        "failure_code": word(details.reason),
        "method": "wallet",
        **amount_of(notice, found.amount, f"{AT}.amount"),
    }


def _fee(notice: Notice, found: _Payment, currency: str) -> int | None:
    """What PayPal and the platform keep: the gross amount less the net one.

    None while it is unknown, or where a part of it is in another currency.
    """
    breakdown = found.seller_receivable_breakdown
    if breakdown is None or breakdown.paypal_fee is None:
        return None
    fees = [breakdown.paypal_fee, *(each.amount for each in breakdown.platform_fees)]
    if any(fee.code != currency for fee in fees):
        return None
    at = f"{AT}.seller_receivable_breakdown"
    return sum(notice.fee_of_text(fee.text(at), currency, at) for fee in fees)


def _dispute(notice: Notice, data: msgspec.Raw, kind: str) -> Said:
    found = decode(_DISPUTE, data, AT)
    ids = [each.seller_transaction_id for each in found.disputed_transactions[:1]]
    at = f"{AT}.disputed_transactions[0].seller_transaction_id"
    payment_id = optional_id(ids[0] if ids else None, at)
    event_type, status, amount = _state(found, kind)
    return {
        "event_type": event_type,
        "payment_id": payment_id,
        "capture_id": payment_id,
        "dispute_id": needed_id(found.dispute_id, f"{AT}.dispute_id"),
        "status": status,
        **amount_of(notice, amount, f"{AT}.dispute_amount"),
    }


def _state(found: _Dispute, kind: str) -> tuple[EventType, str, Amount]:
    status = (word(found.status) or "").lower()
    if kind == "CUSTOMER.DISPUTE.CREATED":
        return EventType.DISPUTE_OPENED, status, found.dispute_amount
    given_back = _given_back(found)
    if kind == "CUSTOMER.DISPUTE.RESOLVED":
        outcome = found.dispute_outcome.outcome_code if found.dispute_outcome else None
        closed_as = _CLOSED_AS.get(outcome or found.outcome_code or "")
        if closed_as is None:
            at = f"{AT}.dispute_outcome.outcome_code"
            raise RefusedError.of("status_unknown", at, "This outcome is not known.")
        if given_back is None:
            return EventType.DISPUTE_CLOSED, closed_as, found.dispute_amount
        return EventType.FUNDS_REINSTATED, closed_as, given_back
    if given_back is not None:
        return EventType.FUNDS_REINSTATED, status, given_back
    return EventType.DISPUTE_UPDATED, status, found.dispute_amount


def _given_back(found: _Dispute) -> Amount | None:
    """The disputed money, where the last movement on the seller's side gave it back; no fees."""
    ours = [
        movement
        for movement in found.money_movements
        if movement.affected_party == "SELLER" and not (movement.reason or "").endswith("FEE")
    ]
    if not ours or ours[-1].type != "CREDIT":
        return None
    return ours[-1].amount or found.dispute_amount


_Reader = Callable[[Notice, msgspec.Raw, str], dict[str, Any]]
_READERS: Mapping[str, _Reader] = {
    **paypal_payouts.READERS,
    **paypal_sales.READERS,
    "PAYMENT.AUTHORIZATION.CREATED": _authorization,
    "PAYMENT.AUTHORIZATION.VOIDED": _authorization,
    **dict.fromkeys(_CAPTURE_TYPES, _capture),
    "PAYMENT.CAPTURE.REFUNDED": _refund,
    "PAYMENT.REFUND.COMPLETED": _refund,
    "PAYMENT.REFUND.PENDING": _refund,
    "PAYMENT.REFUND.FAILED": _refund,
    "PAYMENT.REFUND.CANCELLED": _refund,
    "PAYMENT.CAPTURE.REVERSED": _reversal,
    "CUSTOMER.DISPUTE.CREATED": _dispute,
    "CUSTOMER.DISPUTE.UPDATED": _dispute,
    "CUSTOMER.DISPUTE.RESOLVED": _dispute,
}
