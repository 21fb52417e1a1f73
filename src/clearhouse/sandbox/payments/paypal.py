"""What PayPal tells of a payment: authorization, captures and refunds are objects of their own."""

import datetime as dt
from dataclasses import replace
from typing import Any, ClassVar

from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments.draws import Ids
from clearhouse.sandbox.payments.facts import Capture, Dispute, Refund
from clearhouse.sandbox.payments.output import Fate, Object, encode
from clearhouse.sandbox.payments.payment import Payment, Start

_UNKNOWN = ("CHECKOUT.ORDER.APPROVED", "BILLING.PLAN.CREATED", "MOON.PHASE.CHANGED")
_API = "https://api.paypal.com"


def rfc3339(at: int) -> str:
    """A time as PayPal writes it."""
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def envelope(ids: Ids, name: str, kind: str, at: int, resource: Object) -> bytes:
    """An event about a resource."""
    event_id = f"WH-{ids.upper(name, 17)}-{ids.upper(name + ' more', 17)}"
    what = "refund" if "links" in resource and _is_refund(resource) else kind.split(".")[1].lower()
    return encode(
        {
            "id": event_id,
            "event_version": "1.0",
            "create_time": rfc3339(at),
            "resource_type": what,
            "resource_version": "2.0",
            "event_type": kind,
            "summary": f"{kind.title().replace('.', ' ')}.",
            "resource": resource,
            "links": [
                {
                    "href": f"{_API}/v1/notifications/webhooks-events/{event_id}",
                    "rel": "self",
                    "method": "GET",
                }
            ],
        }
    )


def _is_refund(resource: Object) -> bool:
    return any(link["rel"] == "up" and "/captures/" in link["href"] for link in resource["links"])


class PayPalPayment(Payment):
    """A payment at PayPal: known by its authorization, or else by its capture."""

    provider: ClassVar[Provider] = Provider.PAYPAL
    captures_twice: ClassVar[bool] = True

    def __init__(self, start: Start) -> None:
        super().__init__(start)
        self.method, self.brand, self.last4 = "wallet", None, None
        self._capture_name = self.ids.upper("capture", 17)
        self._authorization = self.ids.upper("authorization", 17)
        self.id = self._capture_name
        self.reference = f"INV-{self.ids.upper('invoice', 9)}"
        self.pends = self.draws.chance(0.05)
        self._told = 0
        self._refund_of_dispute: Dispute | None = None
        self._given_back: list[Object] = []

    def again(self) -> Payment:
        """A further attempt: a capture of its own for the same invoice."""
        further = PayPalPayment(replace(self.start, at=self.at, ids=Ids(0, f"{self.id} again")))
        further.reference = self.reference
        return further

    def authorize(self, amount: int) -> None:
        """The payment is known by its authorization from now on."""
        self.id = self._authorization
        super().authorize(amount)

    def capture_more(self, capture: Capture, amount: int) -> None:
        """A second capture of the authorization, with an id of its own."""
        self._capture_name = self.ids.upper("capture more", 17)
        self.capture(amount, at_once=False)
        self._capture_name = capture.id

    def undo(self, refund: Refund, code: str) -> None:
        """A refund that is completed stays."""

    def withdraw(self, dispute: Dispute) -> None:
        """The capture is reversed: that is told as a dispute of its own."""
        own_id = self._withdrawal_id(dispute)
        reversal = Dispute(f"reversal:{own_id}", dispute.amount)
        reversal.withdrawn = dispute.amount
        self.disputes[reversal.id] = reversal
        self.move("dispute", own_id, -dispute.amount, self.dispute_fee())
        found = self._refund_resource(own_id, dispute.amount)
        self._say("PAYMENT.CAPTURE.REVERSED", found, about=reversal)

    def _moving_id(self) -> str:
        return self._capture_name

    def _withdrawal_id(self, dispute: Dispute) -> str:
        return self.ids.upper("reversal", 17)

    def _capture_id(self) -> str:
        return self._capture_name

    def _refund_id(self, number: int) -> str:
        return self.ids.upper(f"refund {number}", 17)

    def _dispute_id(self) -> str:
        return f"PP-D-{self.ids.digits('dispute', 5, '2')}"

    # What is told.

    def _money(self, amount: int) -> Object:
        return {"currency_code": self.unit.code, "value": self.unit.text(amount)}

    def _say(self, kind: str, resource: Object, **more: Any) -> None:
        self._told += 1
        body = envelope(self.ids, f"event {self._told}", kind, self.at, resource)
        self.note(body, **more)

    def _resource(self, own_id: str, path: str, amount: int, status: str, **more: Any) -> Object:
        href = f"{_API}/v2/payments/{path}/{own_id}"
        found: Object = {
            "id": own_id,
            "amount": self._money(amount),
            "create_time": rfc3339(self.start.at),
            "invoice_id": self.reference,
            "links": [{"href": href, "method": "GET", "rel": "self"}],
            "seller_protection": {
                "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"],
                "status": "ELIGIBLE",
            },
            "status": status,
            "update_time": rfc3339(self.at),
            **more,
        }
        if self.draws.chance(0.02):
            found["custom_id"] = "card 4242424242424242"
            self.output.card_numbers.add("4242424242424242")
        return found

    def _capture(self, amount: int, status: str, **more: Any) -> Object:
        related = {"order_id": self.ids.upper("order", 17)}
        if self.authorized is not None:
            related["authorization_id"] = self._authorization
        return self._resource(
            self._capture_name, "captures", amount, status, final_capture=True,
            supplementary_data={"related_ids": related}, **more,
        )  # fmt: skip

    def _refund_resource(self, own_id: str, amount: int, status: str = "COMPLETED") -> Object:
        zero = self._money(0)
        found = self._resource(
            own_id, "refunds", amount, status, note_to_payer="Returned",
            seller_payable_breakdown={
                "gross_amount": self._money(amount), "net_amount": self._money(amount),
                "paypal_fee": zero, "total_refunded_amount": self._money(amount),
            },
        )  # fmt: skip
        href = f"{_API}/v2/payments/captures/{self._capture_name}"
        found["links"].append({"href": href, "method": "GET", "rel": "up"})
        return found

    def _tell_authorized(self, amount: int) -> None:
        found = self._resource(self._authorization, "authorizations", amount, "CREATED")
        found["supplementary_data"] = {"related_ids": {"order_id": self.ids.upper("order", 17)}}
        self._say("PAYMENT.AUTHORIZATION.CREATED", found)
        if self.draws.chance(0.05):
            kind = self.draws.pick(_UNKNOWN)
            self._say(kind, {"id": self.ids.upper("order", 17)}, fate=Fate.UNMAPPED)

    def _tell_pending(self, amount: int) -> None:
        found = self._capture(amount, "PENDING", status_details={"reason": "ECHECK"})
        self._say("PAYMENT.CAPTURE.PENDING", found)

    def _tell_failed(self, amount: int, code: str) -> None:
        self.failure_code = "PAYMENT_DENIED" if self.pends else code.upper()
        kind = "DENIED" if self.pends else "DECLINED"
        details = {"reason": self.failure_code}
        found = self._capture(amount, "DECLINED", status_details=details)
        self._say(f"PAYMENT.CAPTURE.{kind}", found)

    def _tell_captured(self, capture: Capture, fee: int, *, at_once: bool) -> None:
        capture.fee = fee
        breakdown = {
            "gross_amount": self._money(capture.amount),
            "paypal_fee": self._money(fee),
            "net_amount": self._money(capture.amount - fee),
        }
        found = self._capture(capture.amount, "COMPLETED", seller_receivable_breakdown=breakdown)
        self._say("PAYMENT.CAPTURE.COMPLETED", found)

    def _tell_canceled(self, *, expired: bool) -> None:
        amount = self.authorized or 0
        found = self._resource(self._authorization, "authorizations", amount, "VOIDED")
        self._say("PAYMENT.AUTHORIZATION.VOIDED", found)

    def _tell_refund(self, refund: Refund) -> None:
        status = "PENDING" if refund.status == "pending" else "COMPLETED"
        found = self._refund_resource(refund.id, refund.amount, status)
        self._say("PAYMENT.CAPTURE.REFUNDED", found, about=refund)

    def _tell_dispute(self, dispute: Dispute, what: str, *, is_inquiry: bool = False) -> None:
        found: Object = {
            "dispute_id": dispute.id,
            "create_time": rfc3339(dispute.span.first or self.at),
            "update_time": rfc3339(self.at),
            "disputed_transactions": [
                {
                    "seller_transaction_id": self._capture_name,
                    "gross_amount": self._money(dispute.amount),
                    "seller": {"merchant_id": "SANDBOXMERCHANT", "name": "Sandbox"},
                }
            ],
            "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
            "status": "OPEN" if what == "opened" else "RESOLVED",
            "dispute_amount": self._money(dispute.amount),
            "dispute_life_cycle_stage": "INQUIRY" if is_inquiry else "CHARGEBACK",
            "money_movements": self._given_back,
        }
        if what == "opened":
            self._say("CUSTOMER.DISPUTE.CREATED", found, about=dispute)
        elif what == "reinstated":
            movement = {
                "affected_party": "SELLER", "amount": self._money(dispute.amount),
                "initiated_time": rfc3339(self.at), "type": "CREDIT",
                "reason": "DISPUTE_SETTLEMENT",
            }  # fmt: skip
            self._given_back = [movement]
            found |= {"status": "UNDER_REVIEW", "money_movements": self._given_back}
            self._say("CUSTOMER.DISPUTE.UPDATED", found, about=dispute)
        else:
            code = {"won": "RESOLVED_SELLER_FAVOUR", "closed": "CANCELED_BY_BUYER"}.get(what)
            code = code or self.draws.pick(("RESOLVED_BUYER_FAVOUR", "ACCEPTED"))
            found["dispute_outcome"] = {"outcome_code": code}
            self._say("CUSTOMER.DISPUTE.RESOLVED", found, about=dispute)
