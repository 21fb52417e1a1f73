"""The life of one payment: its state, which is the truth, and what its provider tells of it.

A subclass for each provider has the `_tell_…` methods. The state is changed by what happens, never
by reading what was told; so it judges those who read.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments.draws import Draws, Ids
from clearhouse.sandbox.payments.facts import DAY, Capture, Dispute, Refund, Span, moment
from clearhouse.sandbox.payments.money import Unit
from clearhouse.sandbox.payments.output import Fate, Move, Notice, Output

CARDS = (("visa", "4242"), ("mastercard", "4444"), ("amex", "0005"), ("visa", "1881"))
CARD_NUMBERS = (
    "4242424242424242", "5555 5555 5555 4444", "3782-822463-10005", "4000056655665556",
)  # fmt: skip


class LifeOverError(Exception):
    """Nothing more happens, or what would come next is later than now."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a payment begins.

    Attributes:
        at: when, in Unix seconds.
        account: whose it is, as events name it.
    """

    output: Output
    draws: Draws
    ids: Ids
    unit: Unit
    at: int
    account: str = "default"
    livemode: bool = True


class Payment:
    """A payment, from its first attempt on.

    Attributes:
        reference: the merchant's, where the provider's events say it.
        id: the provider's; what its key ends with.
        pends: whether it is under way for days before money comes.
        is_under_way: whether the newest attempt is.
    """

    provider: ClassVar[Provider]
    captures_twice: ClassVar[bool] = False
    """Whether an authorization can be captured in parts."""
    has_second_instance: ClassVar[bool] = False
    """Whether a dispute that was won can be taken up again."""

    def __init__(self, start: Start) -> None:
        self.start = start
        self.output, self.draws, self.ids = start.output, start.draws, start.ids
        self.unit, self.at = start.unit, start.at
        self.account, self.livemode = start.account, start.livemode
        self.id = ""
        self.reference: str | None = None
        self.customer: str | None = None
        self.method: str | None = "card"
        self.brand: str | None = None
        self.last4: str | None = None
        self.brand, self.last4 = self.draws.pick(CARDS)
        self.authorized: int | None = None
        self.captures: dict[str, Capture] = {}
        self.refunds: dict[str, Refund] = {}
        self.disputes: dict[str, Dispute] = {}
        self.failures = 0
        self.failure_code: str | None = None
        self.is_canceled = self.pends = self.is_under_way = False
        self.events = 0
        self.span = Span()
        self.output.payments.append(self)

    # What happens. Each changes the state and then tells.

    def wait(self, low: int, high: int) -> None:
        """Time passes.

        Raises:
            LifeOverError: it would be later than now.
        """
        at = self.at + self.draws.between(low, high)
        if at >= self.output.horizon - 600:
            raise LifeOverError
        self.at = at

    def authorize(self, amount: int) -> None:
        """An amount is authorized."""
        self.authorized = amount
        self._tell_authorized(amount)

    def pend(self, amount: int) -> None:
        """An attempt is under way."""
        self.is_under_way = True
        self._tell_pending(amount)

    def fail(self, amount: int, code: str) -> None:
        """An attempt fails."""
        self.is_under_way = False
        self.failures, self.failure_code = self.failures + 1, code
        self._tell_failed(amount, code)

    def capture(self, amount: int, *, at_once: bool) -> Capture:
        """Money is captured: at once, or of what was authorized before."""
        self.is_under_way = False
        capture = Capture(self._capture_id(), amount, self.at)
        self.captures[capture.id] = capture
        fee = self.fee_of(amount)
        self.move("charge", capture.id, amount, fee)
        self._tell_captured(capture, fee, at_once=at_once)
        return capture

    def capture_more(self, capture: Capture, amount: int) -> None:
        """A further part is captured of what was authorized.

        Args:
            capture: of the part before.
            amount: of this one.
        """
        raise NotImplementedError

    def release(self, amount: int) -> None:
        """What an authorization has left after its last capture is let go."""

    def cancel(self, *, expired: bool) -> None:
        """What is left of the authorization is voided, or expires."""
        self.is_canceled = True
        self._tell_canceled(expired=expired)

    def refund(self, capture: Capture, amount: int, *, pends: bool) -> Refund:
        """A part of a capture is refunded.

        Raises:
            LifeOverError: it is still pending now.
        """
        number = len(self.refunds) + 1
        refund = Refund(self._refund_id(number), amount, capture, "pending")
        self.refunds[refund.id] = refund
        if pends:
            self._tell_refund(refund)
            if not self.draws.chance(0.1):  # else in the same second
                self.wait(3_600, 3 * DAY)
        refund.status = "succeeded"
        self.move("refund", refund.id, -amount)
        self._tell_refund(refund)
        return refund

    def undo(self, refund: Refund, code: str) -> None:
        """A refund that had succeeded comes back."""
        refund.status, refund.code = "undone", code
        self.move("refund_failure", refund.id, refund.amount)
        self._tell_refund(refund)

    def open_dispute(self, amount: int, *, is_inquiry: bool) -> Dispute:
        """The cardholder's bank asks, or disputes."""
        dispute = Dispute(self._dispute_id(), amount)
        self.disputes[dispute.id] = dispute
        self._tell_dispute(dispute, "opened", is_inquiry=is_inquiry)
        return dispute

    def withdraw(self, dispute: Dispute) -> None:
        """The disputed money is taken."""
        dispute.withdrawn += dispute.amount
        self.move("dispute", self._withdrawal_id(dispute), -dispute.amount, self.dispute_fee())
        self._tell_dispute(dispute, "withdrawn")

    def reinstate(self, dispute: Dispute) -> None:
        """The disputed money is given back."""
        dispute.reinstated += dispute.amount
        self.move("dispute_reversal", self._withdrawal_id(dispute), dispute.amount)
        self._tell_dispute(dispute, "reinstated")

    def close(self, dispute: Dispute, status: str) -> None:
        """A dispute ends."""
        dispute.status = status
        self._tell_dispute(dispute, status)

    def dispute_fee(self) -> int:
        """What a dispute costs."""
        return self.unit.rounded(self.unit.typical * 0.4)

    # What a provider's subclass tells, and how it names objects.

    def again(self) -> "Payment":
        """The payment of a further attempt."""
        return self

    def _moving_id(self) -> str:
        """What names the payment where its money moves."""
        return self.id

    def _withdrawal_id(self, dispute: Dispute) -> str:
        """What names disputed money where it moves."""
        return dispute.id

    def _capture_id(self) -> str:
        raise NotImplementedError

    def _refund_id(self, number: int) -> str:
        raise NotImplementedError

    def _dispute_id(self) -> str:
        raise NotImplementedError

    def _tell_authorized(self, amount: int) -> None:
        raise NotImplementedError

    def _tell_pending(self, amount: int) -> None:
        raise NotImplementedError

    def _tell_failed(self, amount: int, code: str) -> None:
        raise NotImplementedError

    def _tell_captured(self, capture: Capture, fee: int, *, at_once: bool) -> None:
        raise NotImplementedError

    def _tell_canceled(self, *, expired: bool) -> None:
        raise NotImplementedError

    def _tell_refund(self, refund: Refund) -> None:
        raise NotImplementedError

    def _tell_dispute(self, dispute: Dispute, what: str, *, is_inquiry: bool = False) -> None:
        raise NotImplementedError

    def amount(self) -> int:
        """A usual amount of its currency."""
        spread = self.draws.uniform() + self.draws.uniform() - 1
        return self.unit.rounded(self.unit.typical * 10 ** (1.3 * spread))

    def part(self, amount: int) -> int:
        """A part of an amount, more than nothing and less than all where it can be."""
        return self.unit.rounded(amount * (0.2 + 0.6 * self.draws.uniform()))

    def fee_of(self, amount: int) -> int:
        """What the provider takes of a capture."""
        return self.unit.rounded(amount * 0.029 + self.unit.typical * 0.008)

    @property
    def captured(self) -> int:
        """Captures that stand, in minor units."""
        return sum(capture.amount for capture in self.captures.values() if capture.stands)

    def move(self, kind: str, source: str, amount: int, fee: int = 0, *, after: int = 0) -> None:
        """Money moves in the merchant's balance, some seconds after now; none of a test does."""
        if self.livemode and (amount or fee):
            self.output.moves.append(
                Move(self.provider, self.account, self.unit.code, self.at + after, kind, source,
                     self._moving_id(), self.reference or "", amount, fee)
            )  # fmt: skip

    def note(
        self,
        content: bytes | dict[str, Any],
        endpoint: str = "default",
        *,
        about: Refund | Dispute | None = None,
        after: int = 0,
        **more: Any,
    ) -> None:
        """Tell: a notice is sent, and where a fact follows from it, it counts.

        Args:
            content: of the notice.
            endpoint: that it is for.
            about: the refund or dispute that it tells of.
            after: seconds since now.
            more: further attributes of the notice.
        """
        at = self.at + after
        notice = Notice(self.provider, endpoint, at, content, is_live=self.livemode, **more)
        self.output.notices.append(notice)
        if notice.fate is Fate.EVENT:
            self.events += 1
            self.span.touch(at)
            if about is not None:
                about.span.touch(at)

    # What the store has to hold in the end.

    @property
    def key(self) -> str:
        """Of the payment, in the store."""
        return self.key_of(self.id)

    def key_of(self, object_id: str) -> str:
        """Of an object of the same account and mode."""
        mode = "live" if self.livemode else "test"
        return f"{self.provider}:{self.account}:{mode}:{object_id}"

    def status(self) -> str:
        """As the store says it."""
        if any(capture.stands for capture in self.captures.values()):
            refunded = self.refunded()
            if refunded and refunded == self.captured:
                return "refunded"
            return "partially_refunded" if refunded else "captured"
        if self.is_canceled:
            return "canceled"
        if self.authorized is not None:
            return "authorized"
        if self.is_under_way:
            return "pending"
        return "failed" if self.failures or self.captures else "pending"

    def refunded(self) -> int:
        """Refunds that stand, at most what was captured."""
        stand = sum(each.amount for each in self.refunds.values() if each.status == "succeeded")
        return min(stand, self.captured)

    def _common(self) -> dict[str, Any]:
        return {"provider": self.provider.value, "account": self.account, "livemode": self.livemode}

    def row(self) -> dict[str, Any]:
        """Of table `payment`."""
        stand = [capture for capture in self.captures.values() if capture.stands]
        fees = [capture.fee for capture in self.captures.values() if capture.fee is not None]
        return {
            "payment_key": self.key,
            **self._common(),
            "payment_id": self.id,
            "merchant_reference": self.reference,
            "status": self.status(),
            "currency": self.unit.code,
            "authorized_minor": self.authorized,
            "captured_minor": self.captured,
            "refunded_minor": self.refunded(),
            "disputed_minor": sum(d.withdrawn - d.reinstated for d in self.disputes.values()),
            "fee_minor": sum(fees) if fees else None,
            "failures": self.failures,
            "failure_code": self.failure_code,
            "method": self.method,
            "card_brand": self.brand,
            "card_last4": self.last4,
            "customer_id": self.customer,
            **self.span.row(),
            "captured_at": moment(min(each.at for each in stand)) if stand else None,
            "events": self.events,
        }

    def refund_rows(self) -> list[dict[str, Any]]:
        """Of table `refund`."""
        return [
            {
                "refund_key": self.key_of(each.id),
                "payment_key": self.key,
                **self._common(),
                "refund_id": each.id,
                "status": each.status,
                "amount_minor": each.amount,
                "currency": self.unit.code,
                "failure_code": each.code,
                **each.span.row(),
            }
            for each in self.refunds.values()
        ]

    def dispute_rows(self) -> list[dict[str, Any]]:
        """Of table `dispute`."""
        return [
            {
                "dispute_key": self.key_of(each.id),
                "payment_key": self.key,
                **self._common(),
                "dispute_id": each.id,
                "status": each.status,
                "amount_minor": each.amount,
                "withdrawn_minor": each.withdrawn,
                "reinstated_minor": each.reinstated,
                "currency": self.unit.code,
                **each.span.row(),
            }
            for each in self.disputes.values()
        ]
