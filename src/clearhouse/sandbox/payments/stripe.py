"""What Stripe tells of a payment: many events of which the charge's, refunds' and disputes' count.

Which there are, and what they hold, depends on the API version of the endpoint.
"""

import datetime as dt
from dataclasses import replace
from typing import Any, ClassVar

from clearhouse.payments.accounts import DEFAULT
from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments import stripe_wire as wire
from clearhouse.sandbox.payments.accounts import CONNECT
from clearhouse.sandbox.payments.draws import CUSTOMERS, Ids
from clearhouse.sandbox.payments.facts import Capture, Dispute, Refund
from clearhouse.sandbox.payments.money import UNITS, settled
from clearhouse.sandbox.payments.output import Fate, StripeEvent, encode
from clearhouse.sandbox.payments.payment import (
    CARD_NUMBERS,
    Payment,
    Start,
)

CONNECTED = ("acct_1SandboxNorth0000", "acct_1SandboxSouth0000", "acct_1SandboxWest00000")

_DISPUTE_STATUS = {
    "opened": "needs_response", "withdrawn": "needs_response", "reinstated": "under_review",
    "won": "won", "lost": "lost", "closed": "warning_closed",
}  # fmt: skip
_STATE_ONLY = ("checkout.session.completed", "invoice.paid", "invoice.payment_succeeded")
_UNKNOWN = ("customer.updated", "radar.early_fraud_warning.created", "charge.moon_phase.changed")


class Events:
    """Makes events of one account and mode, as its endpoint's version has them."""

    def __init__(self, start: Start, version: str) -> None:
        self._output, self._ids, self._version = start.output, start.ids, version
        self._named = "" if start.account == DEFAULT else start.account
        self._livemode = start.livemode
        self._number = 0
        self.endpoint = CONNECT if self._named else DEFAULT

    def make(self, kind: str, at: int, found: wire.Object) -> tuple[str, bytes]:
        """A snapshot event, which list-events then gives too; its id and body."""
        self._number += 1
        event_id = f"evt_1{self._ids.text(f'event {self._number}', 23)}"
        values = {
            "id": event_id,
            "api_version": self._version,
            "created": at,
            "data": {"object": found},
            "livemode": self._livemode,
            "type": kind,
        }
        if self._named:
            values["account"] = self._named
        body = encode(wire.event(values))
        self._output.stripe_events.append(
            StripeEvent(event_id, self._named, self._livemode, at, kind, body)
        )
        self.keep(found)
        return event_id, body

    def make_thin(self, kind: str, at: int, found: wire.Object, twin: str | None) -> bytes:
        """A thin event, with the id of its snapshot where there is one."""
        self._number += 1
        event_id = f"evt_6{self._ids.text(f'thin {self._number}', 23)}"
        values: wire.Object = {
            "id": event_id,
            "type": f"v1.{kind}",
            "created": dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "livemode": self._livemode,
        }
        if twin is not None:
            values["snapshot_event"] = twin
        made = wire.thin(values, found)
        self._output.thin[event_id] = made
        self.keep(found)
        return encode(made)

    def keep(self, found: wire.Object) -> None:
        """The object as the API gives it from now on."""
        self._output.objects[self._named, self._livemode, found["id"]] = found


class StripePayment(Payment):
    """A payment at Stripe: a PaymentIntent with a charge for each attempt, or a charge alone."""

    provider: ClassVar[Provider] = Provider.STRIPE
    captures_twice: ClassVar[bool] = True

    def __init__(self, start: Start) -> None:
        super().__init__(start)
        draws, ids, account = self.draws, self.ids, self.account
        self.version = draws.weighted(wire.VERSIONS)
        self.made = Events(start, self.version)
        self._attempt, self._attempted_at = 1, self.at
        self.is_charge_alone = draws.chance(0.05)
        self.thin = draws.weighted((("", 80), ("beside", 14), ("alone", 6)))
        if account != DEFAULT or not self.livemode:
            self.thin = ""
        self.pends = not self.is_charge_alone and draws.chance(0.07)
        if self.pends:
            self.method, self.brand, self.last4 = "bank_debit", None, None
        self.has_two_ids = draws.chance(0.03)
        self.intent: str | None = None
        if not self.is_charge_alone:
            self.intent = f"pi_3{ids.text('intent', 23)}"
        self.id = self.intent or self.charge_id
        if draws.chance(0.7):
            self.customer = f"cus_{CUSTOMERS.text(f'{account} {draws.between(1, 400)}', 14)}"
        self._has_entry = self.version < "2024-04-10"
        self._whole = 0
        self._metadata: dict[str, str] = {"order_id": ids.text("order", 8)}
        if draws.chance(0.03):
            number = draws.pick(CARD_NUMBERS)
            self.output.card_numbers.add(number)
            self._metadata["note"] = f"by phone, card {number}, exp 08/30"

    @property
    def charge_id(self) -> str:
        """Of the attempt under way."""
        return f"ch_3{self.ids.text(f'charge {self._attempt}', 23)}"

    @property
    def sees_refunds(self) -> bool:
        """Whether its version has events of refunds."""
        return self.version >= "2024-10-28"

    def again(self) -> Payment:
        """A further attempt: of the same PaymentIntent, or a charge of its own."""
        if not self.is_charge_alone:
            self._attempt, self._attempted_at = self._attempt + 1, self.at
            return self
        return StripePayment(replace(self.start, at=self.at, ids=Ids(0, f"{self.id} again")))

    def capture_more(self, capture: Capture, amount: int) -> None:
        """The charge's captured amount grows (the first part had `final_capture=false`)."""
        capture.amount += amount
        self.move("charge_more", capture.id, amount, self.fee_of(amount))
        self._say("charge.captured", self._charge(self._whole))

    def _capture_id(self) -> str:
        return self.charge_id

    def _refund_id(self, number: int) -> str:
        return f"re_3{self.ids.text(f'refund {number}', 23)}"

    def _dispute_id(self) -> str:
        return f"dp_1{self.ids.text('dispute', 23)}"

    # Objects, as they are now.

    def _charge(self, amount: int, decline: str | None = None, status: str = "") -> wire.Object:
        capture = self.captures.get(self.charge_id)
        captured = capture.amount if capture else 0
        back = sum(r.amount for r in self.refunds.values() if r.status in ("pending", "succeeded"))
        released = amount - captured if captured else amount if self.is_canceled else 0
        number = self.unit.number
        values = {
            "id": self.charge_id,
            "amount": number(amount),
            "amount_captured": number(captured),
            "amount_refunded": number(back + released),
            "balance_transaction": wire.entry_id("charge", self.charge_id)
            if capture and self._has_entry
            else None,
            "captured": capture is not None,
            "created": self._attempted_at,
            "currency": self.unit.code.lower(),
            "customer": self.customer,
            "failure_code": self._failure_code(decline),
            "livemode": self.livemode,
            "metadata": self._metadata,
            "outcome": wire.outcome(decline),
            "paid": decline is None,
            "payment_intent": self.intent,
            "payment_method": f"pm_1{self.charge_id[4:]}",
            "payment_method_details": wire.method_details(
                "us_bank_account" if self.pends else "card", self.brand, self.last4
            ),
            "refunded": bool(captured) and back >= captured,
            "status": status or ("failed" if decline else "succeeded"),
            "disputed": bool(self.disputes),
        }
        if self.version < "2022-11-15":
            values["refunds"] = {
                "object": "list",
                "data": [self._refund(refund) for refund in reversed(self.refunds.values())],
                "has_more": False,
                "url": f"/v1/charges/{self.charge_id}/refunds",
            }
        return wire.charge(values)

    @staticmethod
    def _failure_code(decline: str | None) -> str | None:
        if decline in (None, "expired_card", "incorrect_cvc"):
            return decline
        return "card_declined"

    def _intent(self, amount: int, status: str, **more: Any) -> wire.Object:
        charge = self.charge_id if self._attempt or self.captures else None
        number = self.unit.number
        values = {
            "id": self.intent,
            "amount": number(amount),
            "amount_capturable": number(amount) if status == "requires_capture" else 0,
            "amount_received": number(self.captured),
            "capture_method": "automatic_async",
            "client_secret": f"{self.intent}_secret_{self.id[-8:]}",
            "created": self.start.at,
            "currency": self.unit.code.lower(),
            "customer": self.customer,
            "livemode": self.livemode,
            "metadata": self._metadata,
            "payment_method": f"pm_1{self.charge_id[4:]}",
            "status": status,
            **more,
        }
        if self.version < "2022-11-15":
            values["charges"] = {"object": "list", "data": [self._charge(amount)] if charge else []}
        else:
            values["latest_charge"] = charge
        if self.version < "2025-03-31":
            values["invoice"] = None
        return wire.intent(values)

    def _refund(self, refund: Refund) -> wire.Object:
        status = "failed" if refund.status == "undone" else refund.status
        made = refund.span.first or self.at
        values = {
            "id": refund.id,
            "amount": self.unit.number(refund.amount),
            "balance_transaction": wire.entry_id("refund", refund.id),
            "charge": refund.capture.id,
            "created": made,
            "currency": self.unit.code.lower(),
            "payment_intent": self.intent,
            "status": status,
        }
        if status == "failed":
            values["failure_reason"] = refund.code
            values["failure_balance_transaction"] = wire.entry_id("refund_failure", refund.id)
        return wire.refund(values)

    # What is told.

    def _say(
        self, kind: str, found: wire.Object, *, after: int = 0, thin: bool = False, **more: Any
    ) -> None:
        """An event: a snapshot, with a thin one beside it or instead where the payment has them."""
        twin, is_fact = None, more.get("fate") is Fate.EVENT
        alone = thin and self.thin == "alone"
        for _ in range(0 if alone else 2 if self.has_two_ids and is_fact else 1):
            twin, body = self.made.make(kind, self.at + after, found)
            self.note(body, self.made.endpoint, after=after, **more)
        if thin and self.thin:
            body = self.made.make_thin(kind, self.at + after, found, twin)
            self.note(body, self.made.endpoint, after=after, is_thin=True, **more)

    def _say_intent(self, kind: str, found: wire.Object, **more: Any) -> None:
        if self.intent is not None:
            self._say(f"payment_intent.{kind}", found, **more)

    def _begin(self, amount: int) -> None:
        if self._attempt == 1 and not self.events:
            self._say_intent(
                "created", self._intent(amount, "requires_payment_method"), fate=Fate.UNMAPPED
            )
            if self.draws.chance(0.03):
                kind = self.draws.pick(_UNKNOWN)
                found = {"id": self.customer or "cus_0", "object": "customer"}
                self._say(kind, found, fate=Fate.UNMAPPED)

    def _tell_authorized(self, amount: int) -> None:
        self._begin(amount)
        self._say("charge.succeeded", self._charge(amount))
        self._say_intent("amount_capturable_updated", self._intent(amount, "requires_capture"))

    def _tell_pending(self, amount: int) -> None:
        self._begin(amount)
        self._say("charge.pending", self._charge(amount, status="pending"))
        self._say_intent("processing", self._intent(amount, "processing"))

    def _tell_failed(self, amount: int, code: str) -> None:
        self._begin(amount)
        self._say("charge.failed", self._charge(amount, code), thin=True)
        error = {
            "charge": self.charge_id,
            "code": self._failure_code(code),
            "decline_code": code,
            "message": "Your card was declined.",
            "type": "card_error",
        }
        found = self._intent(amount, "requires_payment_method", last_payment_error=error)
        self._say_intent("payment_failed", found)

    def _tell_captured(self, capture: Capture, fee: int, *, at_once: bool) -> None:
        amount = capture.amount if at_once else self.authorized or capture.amount
        if at_once:
            self._begin(amount)
        kind = "charge.succeeded" if at_once else "charge.captured"
        self._say(kind, self._charge(amount), thin=at_once)
        self._say_intent("succeeded", self._intent(amount, "succeeded"), fate=Fate.UNMAPPED)
        if self.draws.chance(0.05):
            session = {"id": f"cs_{self.id[3:]}", "object": "checkout.session"}
            self._say(self.draws.pick(_STATE_ONLY), session, fate=Fate.UNMAPPED)
        if not self._has_entry:
            self._has_entry = True
            self._say("charge.updated", self._charge(amount), after=2, thin=at_once)
        self._whole = amount

    def _tell_canceled(self, *, expired: bool) -> None:
        amount = self.authorized or 0
        if expired or self.intent is None:
            self._say("charge.expired", self._charge(amount, status="succeeded"))
        self._say_intent("canceled", self._intent(amount, "canceled"))
        if self.sees_refunds and self.draws.chance(0.3):
            self.release(amount)

    def release(self, amount: int) -> None:
        """Told as a refund that is reversed at the card and moves no balance."""
        if not self.sees_refunds:
            return
        capture = self.captures.get(self.charge_id) or Capture(self.charge_id, 0, self.at)
        found = self._refund(Refund(self._refund_id(0), amount, capture, "succeeded"))
        found["balance_transaction"] = None
        found["destination_details"] = {"card": {"type": "reversal"}, "type": "card"}
        self._say("refund.created", found)

    def _tell_refund(self, refund: Refund) -> None:
        is_first, found = refund.span.first is None, self._refund(refund)
        if is_first and self.version < "2022-11-15":
            self._say("charge.refunded", self._charge(self._whole), about=refund)
            return
        if is_first:
            self._say("charge.refunded", self._charge(self._whole), fate=Fate.UNMAPPED)
        if not self.sees_refunds:
            self._say("charge.refund.updated", found, about=refund)
            return
        kind = "created" if is_first else "failed" if refund.status == "undone" else "updated"
        self._say(f"refund.{kind}", found, about=refund)
        if not is_first and self.draws.chance(0.4):
            self._say("charge.refund.updated", found, about=refund)

    def _tell_dispute(self, dispute: Dispute, what: str, *, is_inquiry: bool = False) -> None:
        kind = {
            "opened": "created",
            "withdrawn": "funds_withdrawn",
            "reinstated": "funds_reinstated",
        }.get(what, "closed")
        status = "warning_needs_response" if is_inquiry else _DISPUTE_STATUS[what]
        found = self._dispute(dispute, status)
        self._say(f"charge.dispute.{kind}", found, about=dispute)
        if what == "withdrawn" and self.draws.chance(0.5):
            self._say(
                "charge.dispute.updated",
                {**found, "status": "under_review"},
                about=dispute,
                after=self.draws.between(1, 3_000),
            )

    def _dispute(self, dispute: Dispute, status: str) -> wire.Object:
        currency, number = self.unit.code.lower(), self.unit.number
        paid_in, fee = settled(Provider.STRIPE, self.unit.code, self.dispute_fee())
        written = UNITS[Provider.STRIPE][paid_in].number
        entries = []
        for kind, sign, amount in (
            ("dispute", -1, dispute.withdrawn),
            ("dispute_reversal", 1, dispute.reinstated),
        ):
            if amount:
                values = {
                    "id": wire.entry_id(kind, dispute.id),
                    "amount": written(sign * settled(Provider.STRIPE, self.unit.code, amount)[1]),
                    "created": self.at,
                    "currency": paid_in.lower(),
                    "fee": written(fee) if sign < 0 else 0,
                    "reporting_category": kind,
                    "source": dispute.id,
                    "type": "adjustment",
                }
                entries.append(wire.entry(values))
        return wire.dispute(
            {
                "id": dispute.id,
                "amount": number(dispute.amount),
                "balance_transactions": entries,
                "charge": next(iter(self.captures)),
                "created": dispute.span.first or self.at,
                "currency": currency,
                "livemode": self.livemode,
                "payment_intent": self.intent,
                "status": status,
            }
        )
