"""What is true of a payment: its captures, refunds and disputes, and when each was told of."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

DAY = 86_400


def moment(seconds: int) -> dt.datetime:
    """A time as the store has it: UTC, without an offset."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(tzinfo=None)


@dataclass(slots=True)
class Span:
    """When a thing was first and last told of, in Unix seconds."""

    first: int | None = None
    last: int | None = None

    def touch(self, at: int) -> None:
        """It was told of."""
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)

    def row(self) -> dict[str, Any]:
        """`first_at` and `last_at`."""
        if self.first is None or self.last is None:
            return {}
        return {"first_at": moment(self.first), "last_at": moment(self.last)}


@dataclass(slots=True)
class Capture:
    """A capture; it stands unless it failed after it had succeeded."""

    id: str
    amount: int
    at: int
    fee: int | None = None
    stands: bool = True


@dataclass(slots=True)
class Refund:
    """A refund. Its status is pending, succeeded, undone or failed."""

    id: str
    amount: int
    capture: Capture
    status: str
    code: str | None = None
    span: Span = field(default_factory=Span)


@dataclass(slots=True)
class Dispute:
    """A dispute. Its status is open, won, lost or closed."""

    id: str
    amount: int
    withdrawn: int = 0
    reinstated: int = 0
    status: str = "open"
    span: Span = field(default_factory=Span)
