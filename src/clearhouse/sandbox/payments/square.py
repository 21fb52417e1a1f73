"""What Square tells of a payment: its whole object at each change, with its status then."""

import datetime as dt
from dataclasses import replace
from typing import Any, ClassVar

from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments.draws import CUSTOMERS, Ids
from clearhouse.sandbox.payments.facts import DAY, Capture, Dispute, Refund
from clearhouse.sandbox.payments.output import Fate, Object, encode
from clearhouse.sandbox.payments.payment import LifeOverError, Payment, Start

MERCHANT = "MLSANDBOX6SSW7"
LOCATION = "LSANDBOX1TEA9"

_BRANDS = {"visa": "VISA", "mastercard": "MASTERCARD", "amex": "AMERICAN_EXPRESS"}
_ERRORS = {
    "insufficient_funds": "INSUFFICIENT_FUNDS", "do_not_honor": "GENERIC_DECLINE",
    "expired_card": "CARD_EXPIRED", "lost_card": "CARD_DECLINED_CALL_ISSUER",
    "incorrect_cvc": "CVV_FAILURE", "try_again_later": "TEMPORARY_ERROR",
}  # fmt: skip
_UNKNOWN = ("customer.created", "invoice.payment_made", "order.updated", "moon.phase.changed")


def rfc3339(at: int) -> str:
    """A time as Square writes it."""
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def envelope(ids: Ids, name: str, kind: str, at: int, found: Object) -> bytes:
    """An event about one object: `{type: {…}}`."""
    what, value = next(iter(found.items()))
    return encode(
        {
            "merchant_id": MERCHANT,
            "location_id": LOCATION,
            "type": kind,
            "event_id": ids.uuid(name),
            "created_at": rfc3339(at),
            "data": {"type": what, "id": value["id"], "object": found},
        }
    )


class SquarePayment(Payment):
    """A payment at Square: authorized and captured as one object."""

    provider: ClassVar[Provider] = Provider.SQUARE

    def __init__(self, start: Start) -> None:
        super().__init__(start)
        draws, ids = self.draws, self.ids
        self.id = ids.text("payment", 27) + "ZY"
        if draws.chance(0.5):
            self.reference = f"pos-{ids.text('order', 8)}"
        if draws.chance(0.4):
            self.customer = f"C{CUSTOMERS.upper(f'square {draws.between(1, 200)}', 25)}"
        self.pends = draws.chance(0.04)
        if self.pends:
            self.method, self.brand, self.last4 = "bank_debit", None, None
        self._tip = draws.chance(0.2)
        self._told = self._version = 0
        self._fees: list[int] = []
        self._note: str | None = None
        if draws.chance(0.02):
            self._note = "manual entry 5555555555554444"
            self.output.card_numbers.add("5555555555554444")

    def again(self) -> Payment:
        """A further attempt: a payment of its own."""
        return SquarePayment(replace(self.start, at=self.at, ids=Ids(0, f"{self.id} again")))

    def refund(self, capture: Capture, amount: int, *, pends: bool) -> Refund:
        """Every refund is pending first; one may be rejected.

        Raises:
            LifeOverError: it is still pending now, or was rejected.
        """
        if self.draws.chance(0.12):
            refund = Refund(self._refund_id(len(self.refunds) + 1), amount, capture, "pending")
            self.refunds[refund.id] = refund
            self._tell_refund(refund)
            self.wait(60, 2 * DAY)
            refund.status = "failed"
            self._tell_refund(refund)
            raise LifeOverError
        return super().refund(capture, amount, pends=True)

    def undo(self, refund: Refund, code: str) -> None:
        """A refund that is completed stays."""

    def withdraw(self, dispute: Dispute) -> None:
        """The disputed money is taken: only the payout's entries tell."""
        self.move("dispute", dispute.id, -dispute.amount)

    def reinstate(self, dispute: Dispute) -> None:
        """The disputed money is given back: only the payout's entries tell."""
        self.move("dispute_reversal", dispute.id, dispute.amount)

    def _capture_id(self) -> str:
        return self.id

    def _refund_id(self, number: int) -> str:
        return f"{self.id}_{self.ids.text(f'refund {number}', 43)}"

    def _dispute_id(self) -> str:
        return self.ids.text("dispute", 22)

    # What is told.

    def _money(self, amount: int) -> Object:
        return {"amount": self.unit.number(amount), "currency": self.unit.code}

    def _say(self, kind: str, found: Object, **more: Any) -> None:
        self._told += 1
        at = self.at + more.get("after", 0)
        self.note(envelope(self.ids, f"event {self._told}", kind, at, found), **more)

    def _payment(self, amount: int, status: str, *, after: int = 0, error: str = "") -> Object:
        tip = self.unit.rounded(amount * 0.1) if self._tip and amount > self.unit.step else 0
        at = rfc3339(self.at + after)
        found: Object = {
            "id": self.id,
            "amount_money": self._money(amount - tip),
            "application_details": {"square_product": "ECOMMERCE_API"},
            "approved_money": self._money(amount),
            "capabilities": ["EDIT_AMOUNT_UP", "EDIT_AMOUNT_DOWN"],
            "created_at": rfc3339(self.start.at),
            "delay_action": "CANCEL",
            "delay_duration": "PT168H",
            "location_id": LOCATION,
            "order_id": self.ids.text("square order", 22),
            "receipt_number": self.id[:4],
            "receipt_url": f"https://squareup.com/receipt/preview/{self.id}",
            "risk_evaluation": {"created_at": at, "risk_level": "NORMAL"},
            "source_type": "BANK_ACCOUNT" if self.pends else "CARD",
            "status": status,
            "total_money": self._money(amount),
            "updated_at": at,
            "version_token": self.ids.text(f"version {self._told}", 43),
        }
        if not self.pends:
            found["card_details"] = self._card(status, error)
        if tip:
            found["tip_money"] = self._money(tip)
        if self._fees:
            found["processing_fee"] = [
                {"amount_money": self._money(fee), "effective_at": at, "type": kind}
                for fee, kind in zip(self._fees, ("INITIAL", "ADJUSTMENT"), strict=False)
            ]
        refunded = sum(r.amount for r in self.refunds.values() if r.status == "succeeded")
        more = {
            "customer_id": self.customer,
            "reference_id": self.reference,
            "note": self._note,
            "refunded_money": self._money(refunded) if refunded else None,
        }
        found.update((name, value) for name, value in more.items() if value is not None)
        return {"payment": found}

    def _card(self, status: str, error: str) -> Object:
        details: Object = {
            "avs_status": "AVS_ACCEPTED",
            "card": {
                "bin": "411111",
                "card_brand": _BRANDS[self.brand or "visa"],
                "card_type": "CREDIT",
                "exp_month": 11,
                "exp_year": 2030,
                "fingerprint": "sq-1-Tvruf3vPQxlvI6n0IcKYfBukrcv6IqWr8UyBdViWXU2yzGn5VMJvrs",
                "last_4": self.last4,
                "prepaid_type": "NOT_PREPAID",
            },
            "cvv_status": "CVV_ACCEPTED",
            "entry_method": "KEYED",
            "statement_description": "SQ *SANDBOX",
            "status": {"COMPLETED": "CAPTURED", "APPROVED": "AUTHORIZED"}.get(status, "FAILED"),
        }
        if error:
            details["errors"] = [
                {"category": "PAYMENT_METHOD_ERROR", "code": error, "detail": "Declined."}
            ]
        return details

    def _tell_authorized(self, amount: int) -> None:
        self._say("payment.created", self._payment(amount, "APPROVED"))
        if self.draws.chance(0.04):
            kind = self.draws.pick(_UNKNOWN)
            self._say(kind, {kind.partition(".")[0]: {"id": self.id}}, fate=Fate.UNMAPPED)

    def _tell_pending(self, amount: int) -> None:
        self._say("payment.created", self._payment(amount, "PENDING"))

    def _tell_failed(self, amount: int, code: str) -> None:
        self.failure_code = error = None if self.pends else _ERRORS[code]
        self._say("payment.updated", self._payment(amount, "FAILED", error=error or ""))

    def _tell_captured(self, capture: Capture, fee: int, *, at_once: bool) -> None:
        kind = "payment.created" if at_once and not self.pends else "payment.updated"
        self._say(kind, self._payment(capture.amount, "COMPLETED"))
        after = self.draws.between(3_600, 80_000)
        if self.at + after < self.output.horizon:
            self._fees = [fee]
            if self.draws.chance(0.1):
                self._fees.append(self.unit.step)
                self.move("fee", self.id, 0, self.unit.step, after=after)
            capture.fee = sum(self._fees)
            found = self._payment(capture.amount, "COMPLETED", after=after)
            self._say("payment.updated", found, after=after)

    def _tell_canceled(self, *, expired: bool) -> None:
        self._say("payment.updated", self._payment(self.authorized or 0, "CANCELED"))

    def _tell_refund(self, refund: Refund) -> None:
        status = {"pending": "PENDING", "succeeded": "COMPLETED"}.get(refund.status, "REJECTED")
        found = {
            "id": refund.id,
            "amount_money": self._money(refund.amount),
            "created_at": rfc3339(refund.span.first or self.at),
            "location_id": LOCATION,
            "order_id": self.ids.text("square order", 22),
            "payment_id": self.id,
            "reason": "Returned goods",
            "status": status,
            "updated_at": rfc3339(self.at),
        }
        kind = "refund.created" if refund.span.first is None else "refund.updated"
        self._say(kind, {"refund": found}, about=refund)
        if status == "COMPLETED":
            self._say("payment.updated", self._payment(refund.capture.amount, "COMPLETED"))

    def _tell_dispute(self, dispute: Dispute, what: str, *, is_inquiry: bool = False) -> None:
        self._version += 1
        state = {
            "opened": "INQUIRY_EVIDENCE_REQUIRED" if is_inquiry else "EVIDENCE_REQUIRED",
            "won": "WON",
            "lost": self.draws.pick(("LOST", "ACCEPTED")),
            "closed": "INQUIRY_CLOSED",
        }[what]
        self._say_dispute(dispute, "dispute.created" if what == "opened" else "", state)
        if what == "opened" and not is_inquiry and self.draws.chance(0.5):
            self._version += 1
            self._say_dispute(dispute, "", "PROCESSING")

    def _say_dispute(self, dispute: Dispute, kind: str, state: str) -> None:
        found = {
            "id": dispute.id,
            "dispute_id": dispute.id,
            "amount_money": self._money(dispute.amount),
            "card_brand": _BRANDS.get(self.brand or "", "OTHER_BRAND"),
            "created_at": rfc3339(dispute.span.first or self.at),
            "disputed_payment": {"payment_id": self.id},
            "due_at": rfc3339(self.at + 7 * DAY),
            "location_id": LOCATION,
            "reason": "NO_KNOWLEDGE",
            "state": state,
            "updated_at": rfc3339(self.at),
            "version": self._version,
        }
        self._say(kind or "dispute.state.updated", {"dispute": found}, about=dispute)
