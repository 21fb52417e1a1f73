"""All that happens at the four providers in a month: the truth, and the requests that tell it.

A world is a function of its seed, its size and the day on which it ends. A payment's life depends
on the seed and the payment's number alone.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from clearhouse.payments.accounts import DEFAULT
from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments import (
    adyen_payouts,
    malformed,
    paypal_balance,
    paypal_payouts,
    square_payouts,
    stripe_payouts,
)
from clearhouse.sandbox.payments.adyen import MERCHANTS, AdyenPayment
from clearhouse.sandbox.payments.delivery import Delivery, deliveries, fates
from clearhouse.sandbox.payments.draws import Draws, DrawsByNumber, Entity, Ids
from clearhouse.sandbox.payments.facts import DAY
from clearhouse.sandbox.payments.lives import live
from clearhouse.sandbox.payments.money import CURRENCIES, UNITS
from clearhouse.sandbox.payments.output import Fate, Notice, Output
from clearhouse.sandbox.payments.payment import Start
from clearhouse.sandbox.payments.paypal import PayPalPayment
from clearhouse.sandbox.payments.square import MERCHANT, SquarePayment
from clearhouse.sandbox.payments.stripe import CONNECTED, StripePayment

DAYS = 30
"""Over which a world's payments are spread."""

_NOTICES_PER_WEBHOOK = {
    Provider.STRIPE: 0.48,
    Provider.ADYEN: 0.31,  # several in a request
    Provider.SQUARE: 0.15,
    Provider.PAYPAL: 0.10,
}
_ENTITIES = {
    Provider.STRIPE: Entity.STRIPE,
    Provider.ADYEN: Entity.ADYEN,
    Provider.SQUARE: Entity.SQUARE,
    Provider.PAYPAL: Entity.PAYPAL,
}
_TWINS = 1 << 30


class World:
    """A month of payments.

    Attributes:
        notices: all that providers tell, in the order of making.
        deliveries: the requests that tell it, in the order of sending.
        missed: numbers of notices of Stripe that are never sent, though list-events has them.
        reports: Adyen's settlement detail reports, each of a payout, by merchant account and name.
    """

    def __init__(
        self, seed: int, webhooks: int = 20_000, *, today: dt.date | None = None, missed: int = 0
    ) -> None:
        """Make a world.

        Args:
            seed: any integer.
            webhooks: about how many requests there are.
            today: the UTC day before which all has happened; by default that of the real clock.
            missed: how many of Stripe's events are never sent.
        """
        self.seed, self.webhooks = seed, webhooks
        self.today = today or dt.datetime.now(dt.UTC).date()
        midnight = dt.datetime.combine(self.today, dt.time(), dt.UTC)
        self.output = Output(int(midnight.timestamp()))
        self.begun = self.output.horizon - DAYS * DAY
        for provider, share in _NOTICES_PER_WEBHOOK.items():
            self._live(provider, int(webhooks * share))
        stripe_payouts.pay_out(self.output, seed, self.begun)
        square_payouts.pay_out(self.output, seed, self.begun)
        self.reports = adyen_payouts.pay_out(self.output, seed, self.begun)
        paypal_payouts.pay_out(self.output, seed, self.begun, max(2, webhooks // 400))
        paypal_balance.withdraw(self.output, seed, self.begun)
        malformed.add(self.output, seed, max(1, webhooks // 4_000))
        self.missed = self._never_sent(missed)
        self.deliveries: list[Delivery] = deliveries(self.notices, seed, self.missed)

    @property
    def begin(self) -> dt.datetime:
        """When the first payment can begin, in UTC."""
        return dt.datetime.fromtimestamp(self.begun, dt.UTC)

    @property
    def end(self) -> dt.datetime:
        """When nothing more happens, in UTC."""
        return dt.datetime.fromtimestamp(self.output.horizon, dt.UTC)

    @property
    def notices(self) -> list[Notice]:
        """All that is told."""
        return self.output.notices

    @cached_property
    def truth(self) -> dict[str, list[dict[str, Any]]]:
        """The rows that the store has to hold in the end, by table."""
        told = [payment for payment in self.output.payments if payment.events]
        refunds = [row for payment in told for row in payment.refund_rows()]
        return {
            "payment": [payment.row() for payment in told],
            "refund": [row for row in refunds if "first_at" in row],
            "dispute": [row for payment in told for row in payment.dispute_rows()],
            "payout": [payout.row() for payout in self.output.payouts],
        }

    @property
    def unexplained(self) -> dict[str, int]:
        """The payouts with a part that no object explains, in minor units, by key."""
        return {p.key: p.unexplained for p in self.output.payouts if p.unexplained}

    def fates(self, acknowledged: Collection[int] | None = None) -> dict[Fate, int]:
        """How many items have to become what.

        Args:
            acknowledged: numbers of the deliveries that were answered with 2xx; None for all.
        """
        return fates(self.deliveries, self.notices, acknowledged)

    def _live(self, provider: Provider, notices: int) -> None:
        """Let payments of a provider live until they have told enough."""
        drawn, number = DrawsByNumber(self.seed, _ENTITIES[provider]), 0
        enough = len(self.notices) + notices
        while len(self.notices) < enough:
            draws = drawn.of(number)
            for start in self._starts(provider, number, draws):
                _begin(provider, start)
            number += 1

    def _starts(self, provider: Provider, number: int, draws: Draws) -> Iterator[Start]:
        at = self.begun + int(draws.uniform() * DAYS * DAY * 0.98)
        unit = UNITS[provider][draws.weighted(CURRENCIES[provider])]
        account = _account(provider, draws)
        is_live = True
        if provider is Provider.ADYEN or account in CONNECTED:
            is_live = not draws.chance(0.05)
        ids = Ids(self.seed, f"{provider} {number}")
        start = Start(self.output, draws, ids, unit, at, account, is_live)
        yield start
        if account == CONNECTED[0] and number % 5 == 0:
            # The same ids in another account's world, and another life.
            other = DrawsByNumber(self.seed, Entity.STRIPE).of(_TWINS + number)
            yield replace(start, draws=other, account=CONNECTED[1])

    def _never_sent(self, missed: int) -> frozenset[int]:
        found = [
            number
            for number, notice in enumerate(self.notices)
            if notice.provider is Provider.STRIPE
            and notice.endpoint == DEFAULT
            and notice.fate is Fate.EVENT
            and not notice.is_thin
        ]
        step = max(1, len(found) // max(1, missed))
        return frozenset(found[step // 2 :: step][:missed])


def _account(provider: Provider, draws: Draws) -> str:
    if provider is Provider.STRIPE:
        return draws.pick(CONNECTED) if draws.chance(0.25) else DEFAULT
    if provider is Provider.ADYEN:
        return draws.weighted(((MERCHANTS[0], 70), (MERCHANTS[1], 30)))
    return MERCHANT if provider is Provider.SQUARE else DEFAULT


def _begin(provider: Provider, start: Start) -> None:
    """A payment's life."""
    if provider is Provider.ADYEN:
        payment = AdyenPayment(start)
        if start.draws.chance(0.03):
            payment.check_card()
        else:
            live(payment, start.draws)
    elif provider is Provider.STRIPE:
        stripe = StripePayment(start)
        live(stripe, start.draws, can_defer=stripe.thin == "")
    elif provider is Provider.SQUARE:
        live(SquarePayment(start), start.draws)
    else:
        live(PayPalPayment(start), start.draws)
