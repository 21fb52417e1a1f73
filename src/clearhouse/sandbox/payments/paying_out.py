"""What is paid out when: each week the money that has moved before, of an account and a currency.

The order in which providers pay out, and what they tell of it, is in the provider's own module.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments.draws import Draws, DrawsByNumber, Entity, Ids
from clearhouse.sandbox.payments.facts import DAY
from clearhouse.sandbox.payments.money import UNITS, Unit, settled
from clearhouse.sandbox.payments.output import Move, Notice, Output
from clearhouse.sandbox.payments.payout import Payout

_EVERY, _LAG = 7 * DAY, DAY
UNEXPLAINED = -1_234
"""Of the one entry that no object explains, in cents."""


@dataclass(slots=True)
class Paying:
    """One payout in the making: what tells of it changes it.

    Attributes:
        at: now, in Unix seconds.
    """

    output: Output
    draws: Draws
    ids: Ids
    unit: Unit
    payout: Payout
    at: int
    back: list[Move] = field(default_factory=list)

    def note(self, content: bytes | dict[str, object], endpoint: str) -> None:
        """Tell of it."""
        self.output.notices.append(Notice(self.payout.provider, endpoint, self.at, content))
        self.payout.span.touch(self.at)

    def wait(self, low: int, high: int) -> bool:
        """Time passes; False where it would be later than now."""
        at = self.at + self.draws.between(low, high)
        is_past = at < self.output.horizon - 600
        self.at = at if is_past else self.at
        return is_past

    def give_back(self, kind: str = "payout_failure", amount: int | None = None) -> None:
        """The money is in the balance again, and part of the next payout."""
        self.back.append(
            Move(self.payout.provider, self.payout.account, self.payout.currency, self.at, kind,
                 self.payout.id, "", "", self.payout.amount if amount is None else amount)
        )  # fmt: skip


def due(output: Output, seed: int, begun: int, provider: Provider) -> Iterator[Paying]:
    """The payouts of a provider, in order; what one gives back goes into the next.

    Args:
        output: with the money that has moved.
        seed: of the world.
        begun: when the first week begins, in Unix seconds.
        provider: whose.
    """
    drawn = DrawsByNumber(seed, Entity.PAYOUT)
    groups: dict[tuple[str, str], list[Move]] = defaultdict(list)
    for move in map(_in_settlement, output.moves):
        if move.provider is provider:
            groups[move.account, move.currency].append(move)
    biggest = max(groups, key=lambda key: (key[1] == "USD", len(groups[key])), default=None)
    for number, (account, currency) in enumerate(sorted(groups)):
        waiting = sorted(groups[account, currency], key=lambda move: (move.at, move.source))
        for week in range(1, (output.horizon - begun) // _EVERY + 1):
            cut = begun + week * _EVERY
            paid = [move for move in waiting if move.at < cut - _LAG]
            waiting = waiting[len(paid) :]
            name = f"{provider} payout {account} {currency} {week}"
            nth = list(Provider).index(provider) * 10_000 + number * 10 + week
            unit = UNITS[provider][currency]
            if week == 2 and (account, currency) == biggest and provider is Provider.STRIPE:
                paid.append(_unexplained(provider, account, currency, cut))
            paid = _settled(provider, unit, paid)
            if not _can_be_paid(provider, unit, sum(move.net for move in paid)):
                waiting = paid + waiting
                continue
            payout = Payout(provider, account, "", currency, sum(m.net for m in paid), moves=paid)
            payout.unexplained = sum(m.net for m in paid if m.kind == "adjustment")
            paying = Paying(output, drawn.of(nth), Ids(seed, name), unit, payout, cut)
            output.payouts.append(payout)
            yield paying
            waiting = paying.back + waiting


def _in_settlement(move: Move) -> Move:
    """A move in the currency that it is paid out in."""
    currency, amount = settled(move.provider, move.currency, move.amount)
    if currency == move.currency:
        return move
    _, fee = settled(move.provider, move.currency, move.fee)
    gross = move.currency, move.amount
    return replace(move, currency=currency, amount=amount, fee=fee, gross=gross)


def _unexplained(provider: Provider, account: str, currency: str, at: int) -> Move:
    return Move(provider, account, currency, at - 2 * DAY, "adjustment", "", "", "", UNEXPLAINED)


def _settled(provider: Provider, unit: Unit, paid: list[Move]) -> list[Move]:
    """The same, the last fee such that the sum can be paid: Stripe pays whole forints only."""
    step = _step(provider, unit)
    rest = sum(move.net for move in paid) % step
    charges = [n for n, move in enumerate(paid) if move.kind == "charge"]
    if not rest or not charges:
        return paid
    last = charges[-1]
    paid[last] = replace(paid[last], fee=paid[last].fee + rest)
    return paid


def _can_be_paid(provider: Provider, unit: Unit, amount: int) -> bool:
    """Whether there is anything to pay. Adyen takes nothing where the balance is negative."""
    if provider is Provider.ADYEN and amount < 0:
        return False
    return amount != 0 and amount % _step(provider, unit) == 0


def _step(provider: Provider, unit: Unit) -> int:
    return 100 if provider is Provider.STRIPE and unit.code in ("HUF", "TWD") else 1
