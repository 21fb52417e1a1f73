"""Faults of a source, day by day: which there are, how they are written, when they occur.

Two families. A *row fault* changes the records of a day, at every attempt; each source has its
own. A *wire fault*, written `kind:N`, spoils the first N answers for a day (one, when N is not
given) and then lets the day through. Refusals, instead of the answer:

- `unavailable`, `unavailable_until`: 503 with Retry-After in seconds, or as an HTTP date;
- `too_many_requests`: 429 with Retry-After;
- `unauthorized`: 401, though the key is right;
- `server_error`: 500 with an HTML page;
- `html_page`: 200 with an HTML page;
- `connection_drop`: the connection is dropped after the head;
- `down`: as server_error, at every attempt; it takes no number.

Faults of the stream:

- `slow`: whole, with a pause before each quarter;
- `cut_stream`: the connection is dropped in mid-record;
- `unended_stream`: every record is sent, but the connection is dropped before the last chunk;
- `truncated_stream`: it ends in mid-record, as if that were all.

A day with several wire faults shows one of them at a time: those that refuse a request, then those
that break its stream off. `slow` comes with any of them.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from clearhouse.core.errors import UsageError
from clearhouse.core.window import Window, parse_day

UNAVAILABLE = "unavailable"
UNAVAILABLE_UNTIL = "unavailable_until"
TOO_MANY_REQUESTS = "too_many_requests"
UNAUTHORIZED = "unauthorized"
SERVER_ERROR = "server_error"
HTML_PAGE = "html_page"
CONNECTION_DROP = "connection_drop"
DOWN = "down"
SLOW = "slow"
CUT_STREAM = "cut_stream"
UNENDED_STREAM = "unended_stream"
TRUNCATED_STREAM = "truncated_stream"

REFUSALS = (
    UNAVAILABLE,
    UNAVAILABLE_UNTIL,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    SERVER_ERROR,
    HTML_PAGE,
    CONNECTION_DROP,
    DOWN,
)
BROKEN_ENDS = (CUT_STREAM, UNENDED_STREAM, TRUNCATED_STREAM)
WIRE_FAULTS = (*REFUSALS, SLOW, *BROKEN_ENDS)
_COUNTED = tuple(kind for kind in WIRE_FAULTS if kind != DOWN)
_SPAN = ".."

FaultsByDay = Mapping[dt.date, tuple[str, ...]]
FaultsOfDay = Callable[[dt.date], tuple[str, ...]]


@dataclass(frozen=True)
class Fault:
    """One fault of one day; `attempts` counts for wire faults only."""

    kind: str
    attempts: int = 1

    @classmethod
    def parse(cls, text: str, row_faults: Collection[str]) -> "Fault":
        """A fault written `kind` or `kind:attempts`.

        Raises:
            UsageError: an unknown kind, attempts that are no positive number, or attempts of a
                fault that is there at every attempt.
        """
        kind, has_attempts, attempts = text.partition(":")
        known = (*sorted(row_faults), *WIRE_FAULTS)
        if kind not in known:
            raise UsageError(
                f"{kind!r} is not a fault of the sandbox: choose from {', '.join(known)}.",
                "bad_fault",
            )
        if not has_attempts:
            return cls(kind)
        if kind not in _COUNTED or not (attempts.isdecimal() and int(attempts) > 0):
            raise UsageError(
                f"{text!r} is not a fault: only {', '.join(_COUNTED)} take a number of "
                f"attempts, 1 or more, as in {CUT_STREAM}:2.",
                "bad_fault",
            )
        return cls(kind, int(attempts))


@dataclass(frozen=True)
class Accident:
    """What happens to one answer.

    Attributes:
        refusal: the fault by which the request is refused as a whole, if it is.
        slow: days that are sent with pauses.
        ends: days at which the stream breaks off, and by which fault.
        later: days that were sent whole before.
    """

    refusal: str | None
    slow: frozenset[dt.date]
    ends: Mapping[dt.date, str]
    later: frozenset[dt.date]


class FaultPlan:
    """The faults of a server, and which of them have occurred.

    Args:
        faults: by day, as on the command line.
        row_faults: names of the source's own faults.
        later_faults: row faults that, from the second whole answer on, are another row fault.
        more: further faults of any day, for instance a hostile plan.

    Raises:
        UsageError: an unknown fault.
    """

    def __init__(
        self,
        faults: FaultsByDay,
        row_faults: Collection[str],
        later_faults: Mapping[str, str] | None = None,
        more: FaultsOfDay | None = None,
    ) -> None:
        self._by_day = {
            day: tuple(Fault.parse(text, row_faults) for text in texts)
            for day, texts in faults.items()
        }
        self._row_faults = row_faults
        self._later_faults = later_faults or {}
        self._more = more
        self._occurred: Counter[tuple[dt.date, str]] = Counter()
        self._sent: set[dt.date] = set()

    def rows(self, day: dt.date, *, is_later: bool) -> list[str]:
        """The row faults of a day, in the order in which they were given."""
        kinds = [f.kind for f in self._faults(day) if f.kind not in WIRE_FAULTS]
        return [
            self._later_faults.get(kind, kind)
            for kind in kinds
            if is_later or kind not in self._later_faults
        ]

    def meet(self, window: Window) -> Accident:
        """What happens to a request for these days; each fault that occurs uses up one attempt."""
        refusal = next((kind for kind in REFUSALS if self._occurs(kind, window)), None)
        if refusal is not None:
            return Accident(refusal, frozenset(), {}, frozenset())
        ends = self._broken_ends(window)
        slow = self._occurs(SLOW, window)
        return Accident(None, slow, ends, frozenset() if ends else self._send(window))

    def _broken_ends(self, window: Window) -> dict[dt.date, str]:
        found: dict[dt.date, str] = {}
        for day in window:
            kind = next((k for k in BROKEN_ENDS if self._occurs_on(k, day)), None)
            if kind is not None:
                found[day] = kind
        return found

    def _send(self, window: Window) -> frozenset[dt.date]:
        """Note that these days are now sent whole; those of them that were sent before."""
        before = frozenset(day for day in window if day in self._sent)
        self._sent.update(window)
        return before

    def _faults(self, day: dt.date) -> tuple[Fault, ...]:
        named = self._by_day.get(day, ())
        if self._more is None:
            return named
        return (*named, *(Fault.parse(text, self._row_faults) for text in self._more(day)))

    def _occurs(self, kind: str, window: Window) -> frozenset[dt.date]:
        return frozenset(day for day in window if self._occurs_on(kind, day))

    def _occurs_on(self, kind: str, day: dt.date) -> bool:
        attempts = sum(f.attempts for f in self._faults(day) if f.kind == kind)
        if kind == DOWN:
            return attempts > 0
        if self._occurred[day, kind] >= attempts:
            return False
        self._occurred[day, kind] += 1
        return True


def faults_from_text(items: Iterable[str]) -> dict[dt.date, tuple[str, ...]]:
    """Faults by day, from `2024-01-03=duplicates` or `2024-01-03..2024-01-05=down`.

    A day can be named more than once. The kinds are checked when a plan is made of them.

    Raises:
        UsageError: no `=`, or the left side is no date and no span of dates.
    """
    by_day: dict[dt.date, tuple[str, ...]] = {}
    for item in items:
        days, found, fault = item.partition("=")
        if not found or not fault:
            raise UsageError(
                f"{item!r} is not a fault: write DATE=KIND, as 2024-01-03=negative_amounts, or "
                "DATE..DATE=KIND.",
                "bad_fault",
            )
        first, is_span, last = days.partition(_SPAN)
        window = Window.parse(first, last) if is_span else Window.day(parse_day(first))
        for day in window:
            by_day[day] = (*by_day.get(day, ()), fault)
    return by_day


def faults_as_text(faults: FaultsByDay) -> list[str]:
    """The inverse of `faults_from_text`, one item a day and fault."""
    return [f"{day}={fault}" for day, kinds in sorted(faults.items()) for fault in kinds]
