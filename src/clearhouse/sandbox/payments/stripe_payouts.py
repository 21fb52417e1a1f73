"""Stripe's payouts, and the balance transactions that say what each consists of."""

from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments import stripe_wire as wire
from clearhouse.sandbox.payments.facts import DAY
from clearhouse.sandbox.payments.money import UNITS, exchange_rate
from clearhouse.sandbox.payments.output import Fate, Move, Notice, Output
from clearhouse.sandbox.payments.paying_out import Paying, due
from clearhouse.sandbox.payments.payment import Start
from clearhouse.sandbox.payments.payout import Payout
from clearhouse.sandbox.payments.stripe import Events

_VERSION = "2025-09-30.clover"
_TYPES = {
    "charge": ("charge", "charge"),
    "charge_more": ("charge", "charge"),
    "refund": ("refund", "refund"),
    "refund_failure": ("refund_failure", "refund_failure"),
    "dispute": ("adjustment", "dispute"),
    "dispute_reversal": ("adjustment", "dispute_reversal"),
    "payout_failure": ("payout_failure", "payout_reversal"),
    "payout_cancel": ("payout_cancel", "payout_reversal"),
    "adjustment": ("adjustment", "other_adjustment"),
}
"""`type` and `reporting_category` of a balance transaction."""


def pay_out(output: Output, seed: int, begun: int) -> None:
    """All payouts of Stripe, with what is told of them."""
    for paying in due(output, seed, begun, Provider.STRIPE):
        _Told(paying).live()


class _Told:
    """A payout while it is told of."""

    def __init__(self, paying: Paying) -> None:
        self._paying, self._payout = paying, paying.payout
        start = Start(paying.output, paying.draws, paying.ids, paying.unit, paying.at,
                      self._payout.account)  # fmt: skip
        self._events = Events(start, _VERSION)
        self._created = paying.at
        if not self._payout.id:
            self._payout.id = f"po_1{paying.ids.text('payout', 23)}"

    def live(self) -> None:
        """It is sent, and paid, or not; seldom it fails or is taken back after it was paid."""
        paying, roll = self._paying, self._paying.draws.uniform()
        self._say("payout.created", "pending")
        self._say("payout.reconciliation_completed", "pending", Fate.UNMAPPED)
        if self._payout.amount > 0 and roll < 0.05 and paying.wait(60, 3_600):
            self._undo("canceled", "payout_cancel", None)
            return
        if not paying.wait(60, 8_000):
            return
        self._say("payout.updated", "in_transit")
        if not paying.wait(DAY, 2 * DAY):
            return
        self._payout.status = "paid"
        self._say("payout.paid", "paid")
        if self._payout.amount > 0 and roll < 0.14 and paying.wait(DAY, 2 * DAY):
            if roll < 0.10:
                self._undo("failed", "payout_failure", "account_closed")
            else:
                self._take_back()

    def _undo(self, status: str, kind: str, code: str | None) -> None:
        self._payout.status, self._payout.code = status, code
        self._paying.give_back(kind)
        self._say(f"payout.{status}", status)

    def _take_back(self) -> None:
        """A second payout reverses the first. Nothing is told of the first itself."""
        paying, first = self._paying, self._payout
        second = Payout(first.provider, first.account, f"po_1{paying.ids.text('reversal', 23)}",
                        first.currency, -first.amount, reverses=first.id)  # fmt: skip
        first.status = "reversed"
        paying.output.payouts.append(second)
        self._payout, self._created = second, paying.at
        paying.give_back(amount=first.amount)
        self._say("payout.created", "pending")
        second.status = "paid"
        if paying.wait(60, 8_000):
            self._say("payout.paid", "paid")
        else:
            second.status = "sent"

    def _say(self, kind: str, status: str, fate: Fate = Fate.EVENT) -> None:
        paying, payout = self._paying, self._payout
        found = wire.payout(
            {
                "id": payout.id,
                "amount": paying.unit.number(payout.amount),
                "arrival_date": (self._created + 2 * DAY) // DAY * DAY,
                "automatic": payout.reverses is None,
                "balance_transaction": wire.entry_id("payout", payout.id),
                "created": self._created,
                "currency": payout.currency.lower(),
                "failure_code": payout.code,
                "livemode": payout.livemode,
                "original_payout": payout.reverses,
                "reconciliation_status": "completed" if payout.moves else "not_applicable",
                "status": status,
            }
        )
        _, body = self._events.make(kind, paying.at, found)
        notice = Notice(payout.provider, self._events.endpoint, paying.at, body, fate)
        paying.output.notices.append(notice)
        if fate is Fate.EVENT:
            payout.span.touch(paying.at)


def entries(payout: Payout) -> list[wire.Object]:
    """The balance transactions of a payout, newest first; its own, negative, is one of them."""
    unit = UNITS[Provider.STRIPE][payout.currency]
    own = {
        "id": wire.entry_id("payout", payout.id),
        "amount": -unit.number(payout.amount),
        "created": payout.span.first or 0,
        "currency": payout.currency.lower(),
        "fee": 0,
        "reporting_category": "payout",
        "source": payout.id,
        "type": "payout",
    }
    found = [wire.entry(own)]
    for move in reversed(payout.moves):
        kind, category = _TYPES[move.kind]
        found.append(
            wire.entry(
                {
                    "id": wire.entry_id(move.kind, move.source or payout.id),
                    "amount": unit.number(move.amount),
                    "created": move.at,
                    "currency": payout.currency.lower(),
                    "exchange_rate": _rate(move),
                    "fee": unit.number(move.fee),
                    "reporting_category": category,
                    "source": move.source or None,
                    "type": kind,
                }
            )
        )
    return found


def _rate(move: Move) -> float | None:
    if move.gross is None:
        return None
    return round(exchange_rate(move.provider, move.gross[0]), 6)
