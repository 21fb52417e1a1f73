"""Fiscal periods: what state each is in, and which change of state is allowed.

future → open → soft_closed → closed → locked. Periods open and close in their order, and are
reopened newest first. A locked period stays as it is.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from clearhouse.gl.journal import Violation, is_user

CLOSES_ON_DAY = 20
"""Day of the month on which the service closes the month before by itself: entries of the year-end
close come until then."""


class Status(StrEnum):
    """The states in their order."""

    FUTURE = "future"
    OPEN = "open"
    SOFT_CLOSED = "soft_closed"
    CLOSED = "closed"
    LOCKED = "locked"

    @property
    def rank(self) -> int:
        """0 for future, 4 for locked."""
        return _ORDER.index(self)


_ORDER = tuple(Status)


class Change(StrEnum):
    """What can be done with a period."""

    OPEN = "open"
    SOFT_CLOSE = "soft_close"
    CLOSE = "close"
    LOCK = "lock"
    REOPEN = "reopen"


_ALLOWED: dict[Change, tuple[frozenset[Status], Status]] = {
    Change.OPEN: (frozenset({Status.FUTURE}), Status.OPEN),
    Change.SOFT_CLOSE: (frozenset({Status.OPEN}), Status.SOFT_CLOSED),
    Change.CLOSE: (frozenset({Status.OPEN, Status.SOFT_CLOSED}), Status.CLOSED),
    Change.LOCK: (frozenset({Status.CLOSED}), Status.LOCKED),
    Change.REOPEN: (frozenset({Status.SOFT_CLOSED, Status.CLOSED}), Status.OPEN),
}


@dataclass(frozen=True, slots=True)
class Period:
    """One fiscal period of a ledger.

    Attributes:
        name: as in `2024-01`; names sort in the order of the periods.
        ordinal: 1 for the period in which the ledger was opened.
        first_day, last_day: both belong to it.
    """

    name: str
    ordinal: int
    first_day: dt.date
    last_day: dt.date
    status: Status


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants to change a period, when, and why."""

    change: Change
    today: dt.date
    asked_by: str
    approved_by: str
    reason: str = ""


def month_of(day: dt.date) -> tuple[str, dt.date, dt.date]:
    """Name, first and last day of the month that a day lies in."""
    first = day.replace(day=1)
    next_first = (first + dt.timedelta(days=31)).replace(day=1)
    return f"{first:%Y-%m}", first, next_first - dt.timedelta(days=1)


def status_after(change: Change) -> Status:
    """The state that a change leads to."""
    return _ALLOWED[change][1]


def refusals(request: Request, name: str, periods: Sequence[Period]) -> list[Violation]:
    """Why a period can't be changed as asked; empty when it can.

    Args:
        request: the change.
        name: the period.
        periods: all of the ledger, in their order; the period is among them.
    """
    period = next(each for each in periods if each.name == name)
    return [
        *_wrong_state(request, period),
        *_out_of_order(request, period, periods),
        *_not_over(request, period),
        *_not_approved(request),
    ]


def _wrong_state(request: Request, period: Period) -> list[Violation]:
    allowed, _ = _ALLOWED[request.change]
    if period.status in allowed:
        return []
    code = "period_locked" if period.status is Status.LOCKED else "period_in_wrong_state"
    states = " or ".join(status for status in _ORDER if status in allowed)
    sentence = f"{period.name} is {period.status}: {request.change} needs it to be {states}."
    return [Violation(code, sentence, "period")]


def _out_of_order(request: Request, period: Period, periods: Sequence[Period]) -> list[Violation]:
    if request.change is Change.REOPEN:
        later = [each for each in periods if each.ordinal > period.ordinal]
        blocking = [each for each in later if each.status.rank >= Status.CLOSED.rank]
        advice = "reopen the newest period first"
    else:
        earlier = [each for each in periods if each.ordinal < period.ordinal]
        least = _LEAST_BEFORE[request.change]
        blocking = [each for each in earlier if each.status.rank < least.rank]
        advice = f"{request.change} the earlier period first"
    if not blocking:
        return []
    named = blocking[-1] if request.change is Change.REOPEN else blocking[0]
    sentence = f"{named.name} is {named.status}: {advice}."
    return [Violation("period_out_of_order", sentence, "period")]


_LEAST_BEFORE = {
    Change.OPEN: Status.OPEN,
    Change.SOFT_CLOSE: Status.SOFT_CLOSED,
    Change.CLOSE: Status.CLOSED,
    Change.LOCK: Status.LOCKED,
}
"""How far the earlier periods must be."""


def _not_over(request: Request, period: Period) -> list[Violation]:
    """What still comes must have a period to go to."""
    if request.change is not Change.CLOSE or request.today > period.last_day:
        return []
    sentence = f"{period.name} is not over before {period.last_day} has passed."
    return [Violation("period_not_over", sentence, "period")]


def _not_approved(request: Request) -> list[Violation]:
    if request.change not in (Change.REOPEN, Change.LOCK):
        return []
    found = []
    if not request.reason.strip():
        found.append(Violation("reason_missing", f"To {request.change} takes a reason.", "reason"))
    if request.approved_by and not is_user(request.approved_by):
        found.append(
            Violation("approver_unknown", "The approver is a user: USER-123.", "approved_by")
        )
    if request.approved_by in ("", request.asked_by):
        sentence = f"To {request.change} takes an approver who is not the one who asks."
        found.append(Violation("approver_is_preparer", sentence, "approved_by"))
    return found
