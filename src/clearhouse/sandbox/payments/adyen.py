"""What Adyen tells of a payment: an item for each answer to a request, and for what schemes do."""

import datetime as dt
from dataclasses import replace
from typing import Any, ClassVar

from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments.accounts import TOKENS
from clearhouse.sandbox.payments.draws import CUSTOMERS
from clearhouse.sandbox.payments.facts import DAY, Capture, Dispute, Refund
from clearhouse.sandbox.payments.output import Fate, Object, encode
from clearhouse.sandbox.payments.payment import LifeOverError, Payment, Start

MERCHANTS = ("SandboxEU", "SandboxUS")

_WRITTEN_BRANDS = {"visa": "visa", "mastercard": "mc", "amex": "amex"}
_REFUSALS = {
    "insufficient_funds": ("Not enough balance", "51 : Insufficient funds/over credit limit"),
    "do_not_honor": ("Refused", "05 : Do not honor"),
    "expired_card": ("Expired Card", "54 : Expired card"),
    "lost_card": ("Blocked Card", "41 : Lost card"),
    "incorrect_cvc": ("CVC Declined", "82 : Incorrect CVV"),
    "try_again_later": ("Issuer Unavailable", "91 : Issuer unavailable"),
}
_NO_MONEY = ("NOTIFICATION_OF_FRAUD", "RECURRING_CONTRACT", "ORDER_OPENED", "MOON_PHASE_CHANGED")


def item_time(at: int) -> str:
    """A time as items have it: whole seconds with an offset."""
    moment = dt.datetime.fromtimestamp(at, dt.timezone(dt.timedelta(hours=2)))
    return moment.isoformat(timespec="seconds")


def _card_like(digits: str) -> str:
    """A reference that passes for a card number, and is none: with the check digit of one."""
    doubled = (int(d) * (2 - n % 2) for n, d in enumerate(digits))
    total = sum(value // 10 + value % 10 for value in doubled)
    return f"{digits}{-total % 10}"


class AdyenPayment(Payment):
    """A payment at Adyen, known by the reference of its authorization."""

    provider: ClassVar[Provider] = Provider.ADYEN
    has_second_instance: ClassVar[bool] = True

    def __init__(self, start: Start) -> None:
        super().__init__(start)
        draws = self.draws
        self.id = self._new_reference("payment")
        self.reference = f"order:{self.ids.text('order', 10)}"
        self.is_first = True
        self._modifications = 0
        self._withdrawals = 0
        if draws.chance(0.4):
            self.customer = (
                f"shopper-{CUSTOMERS.text(f'{start.account} {draws.between(1, 300)}', 8)}"
            )

    def again(self) -> Payment:
        """A further attempt: a payment of its own with the same merchant reference."""
        ids = type(self.ids)(0, f"{self.id} again")
        further = AdyenPayment(replace(self.start, at=self.at, ids=ids))
        further.reference, further.customer = self.reference, self.customer
        further.is_first = False
        return further

    def check_card(self) -> None:
        """A card is checked by an authorization of nothing."""
        self.authorize(0)

    def capture(self, amount: int, *, at_once: bool) -> Capture:
        """As for others, with captures that are refused, and that fail after they succeeded.

        Raises:
            LifeOverError: it was not captured in the end.
        """
        if at_once:
            self.authorize(amount)
            self.wait(1, 60)
        if self.draws.chance(0.04):
            self.failures, self.failure_code = self.failures + 1, "Insufficient balance on payment"
            refused = {"success": "false", "reason": self.failure_code}
            named = self._new_reference(f"refused capture {len(self.captures)}")
            self._item("CAPTURE", amount, named, refused)
            self.wait(60, DAY)
        capture = super().capture(amount, at_once=at_once)
        if self.draws.chance(0.06):
            self._fail_capture(capture)
        elif capture.amount < (self.authorized or 0) and self.draws.chance(0.5):
            self.wait(5 * DAY, 7 * DAY)
            self.is_canceled = True
            self._item("EXPIRE", (self.authorized or 0) - capture.amount, self.id)
        return capture

    def _fail_capture(self, capture: Capture) -> None:
        """The scheme rejects a capture. It may be captured again."""
        self.wait(DAY, 3 * DAY)
        capture.stands = False
        fee = self.fee_of(capture.amount)
        self.move("capture_failure", capture.id, -capture.amount, -fee)
        told = {"reason": "Capture Failed"}
        self._item("CAPTURE_FAILED", capture.amount, capture.id, told)
        if self.draws.chance(0.3):
            raise LifeOverError
        self.wait(DAY, 5 * DAY)
        capture.stands = True
        self.move("charge", capture.id, capture.amount, fee)
        told = {"reason": self.draws.pick(("Transaction Recaptured", "Auto-recaptured"))}
        self._item("CAPTURE", capture.amount, capture.id, told)

    def refund(self, capture: Capture, amount: int, *, pends: bool) -> Refund:
        """As for others; a request may be refused before. Nothing tells that one is pending."""
        if pends and self.draws.chance(0.3):
            number = len(self.refunds) + 1
            refused = Refund(self._refund_id(number), amount, capture, "failed", "Refused")
            self.refunds[refused.id] = refused
            told = {"success": "false", "reason": "Refused"}
            self._item("REFUND", amount, refused.id, told, about=refused)
            self.wait(60, DAY)
        return super().refund(capture, amount, pends=False)

    def close(self, dispute: Dispute, status: str) -> None:
        """Only a second instance has an end that is told."""
        if self._withdrawals < 2 or status == "closed":
            kind = "INFORMATION_SUPPLIED" if status == "closed" else "DISPUTE_DEFENSE_PERIOD_ENDED"
            self._item(kind, dispute.amount, dispute.id, fate=Fate.UNMAPPED)
            return
        super().close(dispute, status)

    def _new_reference(self, name: str) -> str:
        roll = self.draws.uniform()
        if roll < 0.15:
            return self.ids.digits(name, 16)
        if roll < 0.16:
            return _card_like(self.ids.digits(name, 15, "4"))
        return self.ids.upper(name, 16)

    def _capture_id(self) -> str:
        return self._new_reference(f"capture {len(self.captures)}")

    def _refund_id(self, number: int) -> str:
        return self._new_reference(f"refund {number}")

    def _dispute_id(self) -> str:
        return self.ids.upper("dispute", 16)

    # What is told.

    def _item(
        self, code: str, amount: int, psp: str, written: Object | None = None, **more: Any
    ) -> None:
        """An item; but for an authorization it names the payment as its original.

        Args:
            code: what happened.
            amount: in minor units.
            psp: the item's own reference.
            written: fields that are other than usual; None for one that is missing.
            more: of the notice.
        """
        found: Object = {
            "additionalData": {},
            "amount": {"currency": self.unit.code, "value": self.unit.number(amount)},
            "eventCode": code,
            "eventDate": item_time(self.at),
            "merchantAccountCode": self.account,
            "merchantReference": self.reference,
            "originalReference": self.id,
            "paymentMethod": _WRITTEN_BRANDS[self.brand or "visa"],
            "pspReference": psp,
            "reason": "",
            "success": "true",
            **(written or {}),
        }
        if found["originalReference"] is None:
            del found["originalReference"]
        self.note(found, **more)

    def _authorisation(self, amount: int, refusal: tuple[str, str] | None = None) -> None:
        data: Object = {
            "authCode": self.ids.digits("auth", 6, "0"),
            "avsResult": "4 AVS not supported for this card type",
            "cardSummary": self.last4,
            "cvcResult": "1 Matches",
            "expiryDate": "03/2030",
            "issuerCountry": "NL",
            "cardHolderName": "J. de Tester",
        }
        if self.customer:
            data["recurring.shopperReference"] = self.customer
        if refusal:
            data["refusalReasonRaw"] = refusal[1]
        if self.draws.chance(0.02):
            number = "4000056655665556"
            self.output.card_numbers.add(number)
            data["metadata.note"] = f"phone order {number}"
        reason = refusal[0] if refusal else f"{data['authCode']}:{self.last4}:03/2030"
        told = {
            "success": "false" if refusal else "true",
            "reason": reason,
            "originalReference": None,
            "additionalData": data,
        }
        self._item("AUTHORISATION", amount, self.id, told)
        if self.draws.chance(0.04):
            more = self.ids.upper("more")
            self._item(self.draws.pick(_NO_MONEY), amount, more, fate=Fate.UNMAPPED)
        if self.customer and self.draws.chance(0.1):
            self._token()

    def _token(self) -> None:
        body = {
            "createdAt": item_time(self.at),
            "data": {
                "merchantAccount": self.account,
                "operation": "created",
                "shopperReference": self.customer,
                "storedPaymentMethodId": self.ids.upper("token"),
                "type": "visa",
            },
            "environment": "live" if self.livemode else "test",
            "eventId": self.ids.upper("token event"),
            "type": "recurring.token.created",
        }
        self.note(encode(body), TOKENS, fate=Fate.UNMAPPED)

    def _tell_authorized(self, amount: int) -> None:
        self._authorisation(amount)

    def _tell_failed(self, amount: int, code: str) -> None:
        refusal = _REFUSALS[code]
        self.failure_code = refusal[0]
        self._authorisation(amount, refusal)

    def _tell_captured(self, capture: Capture, fee: int, *, at_once: bool) -> None:
        self._item("CAPTURE", capture.amount, capture.id)

    def _tell_canceled(self, *, expired: bool) -> None:
        amount = self.authorized or 0
        if expired:
            self._item("EXPIRE", amount, self.id)
            return
        if self.draws.chance(0.2):
            told: Object = {"success": "false", "reason": "Transaction not found"}
            self._item("CANCELLATION", amount, self.ids.upper("no cancel"), told,
                       fate=Fate.UNMAPPED)  # fmt: skip
        code = self.draws.weighted(
            (("CANCELLATION", 70), ("TECHNICAL_CANCEL", 10), ("CANCEL_OR_REFUND", 20))
        )
        told = {"additionalData": {"modification.action": "cancel"}}
        self._item(code, amount, self.ids.upper("cancel"), told)

    def _tell_refund(self, refund: Refund) -> None:
        code, data = "REFUND", {}
        if refund.status == "undone":
            code = self.draws.pick(("REFUND_FAILED", "REFUNDED_REVERSED"))
        elif refund.amount == self.captured and self.draws.chance(0.2):
            code, data = "CANCEL_OR_REFUND", {"modification.action": "refund"}
        told: Object = {"reason": refund.code or "", "additionalData": data}
        self._item(code, refund.amount, refund.id, told, about=refund)

    def _tell_dispute(self, dispute: Dispute, what: str, *, is_inquiry: bool = False) -> None:
        code, original = "NOTIFICATION_OF_CHARGEBACK", True
        if is_inquiry:
            code = "REQUEST_FOR_INFORMATION"
        elif what == "withdrawn":
            self._withdrawals += 1
            code = "CHARGEBACK" if self._withdrawals == 1 else "SECOND_CHARGEBACK"
            original = self._withdrawals == 1
        elif what == "reinstated":
            code, original = "CHARGEBACK_REVERSED", False
        elif what in ("won", "lost"):
            stage = self.draws.pick(("PREARBITRATION", "SCHEME_ARBITRATION"))
            code = f"{stage}_{what.upper()}"
        told: Object = {"additionalData": {"disputeStatus": "Undefended"}}
        if not original and self.is_first:
            told["originalReference"] = None
        self._item(code, dispute.amount, dispute.id, told, about=dispute)
