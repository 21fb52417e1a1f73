"""A payout, as the store has to hold it in the end."""

from dataclasses import dataclass, field
from typing import Any

from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments.facts import Span
from clearhouse.sandbox.payments.output import Move


@dataclass(slots=True)
class Payout:
    """Money that left the merchant's balance.

    Attributes:
        status: sent, paid, failed, canceled or reversed.
        amount: in minor units; negative where the provider takes money.
        moves: what it consists of; empty where it can't be itemized.
        unexplained: the part of the amount that no object explains.
    """

    provider: Provider
    account: str
    id: str
    currency: str
    amount: int
    status: str = "sent"
    code: str | None = None
    reverses: str | None = None
    livemode: bool = True
    moves: list[Move] = field(default_factory=list)
    unexplained: int = 0
    span: Span = field(default_factory=Span)

    @property
    def key(self) -> str:
        """Of the payout, in the store."""
        mode = "live" if self.livemode else "test"
        return f"{self.provider}:{self.account}:{mode}:{self.id}"

    def row(self) -> dict[str, Any]:
        """Of table `payout`."""
        return {
            "payout_key": self.key,
            "provider": self.provider.value,
            "account": self.account,
            "livemode": self.livemode,
            "payout_id": self.id,
            "status": self.status,
            "amount_minor": self.amount,
            "currency": self.currency,
            "failure_code": self.code,
            "is_reversal_of": self.reverses,
            **self.span.row(),
        }
