"""What can be made to go wrong, day by day.

Two families. A *row fault* changes what a day holds, at every attempt; each source registers its
own, by name. A *wire fault* spoils the answer of the first N attempts on a day (one, when N is not
given), written `kind:N`, and then lets it through:

- `unavailable`, `unavailable_until`: 503 with Retry-After in seconds, or as an HTTP date;
- `too_many_requests`: 429 with Retry-After;
- `slow`: whole, with a rest before each quarter;
- `cut_stream`: the connection is dropped in mid-record;
- `unended_stream`: every record is sent, but the connection is dropped before the last chunk;
- `truncated_stream`: it ends in mid-record, as if that were all.

A day with several wire faults shows one of them at a time: those that refuse a request, then those
that spoil its stream. `slow` comes with any of them.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from clearhouse.core.errors import UsageError
from clearhouse.core.window import Window

UNAVAILABLE = "unavailable"
UNAVAILABLE_UNTIL = "unavailable_until"
TOO_MANY_REQUESTS = "too_many_requests"
SLOW = "slow"
CUT_STREAM = "cut_stream"
UNENDED_STREAM = "unended_stream"
TRUNCATED_STREAM = "truncated_stream"

REFUSALS = (UNAVAILABLE, UNAVAILABLE_UNTIL, TOO_MANY_REQUESTS)
BROKEN_ENDS = (CUT_STREAM, UNENDED_STREAM, TRUNCATED_STREAM)
WIRE_FAULTS = (*REFUSALS, SLOW, *BROKEN_ENDS)

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
            UsageError: no such kind, attempts that are no positive number, or attempts of a row
                fault, which is there at every attempt.
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
        if kind not in WIRE_FAULTS or not (attempts.isdecimal() and int(attempts) > 0):
            raise UsageError(
                f"{text!r} is not a fault: only {', '.join(WIRE_FAULTS)} take a number of "
                f"attempts, 1 or more, as in {CUT_STREAM}:2.",
                "bad_fault",
            )
        return cls(kind, int(attempts))


class FaultPlan:
    """The faults of a server, and what its days have been through.

    Args:
        faults: by day, as on the command line.
        row_faults: names of the source's own faults.
        more: further faults of any day, for instance a hostile plan.

    Raises:
        UsageError: a fault that there is not.
    """

    def __init__(
        self,
        faults: Mapping[dt.date, tuple[str, ...]],
        row_faults: Collection[str],
        more: FaultsOfDay | None = None,
    ) -> None:
        self._by_day = {
            day: tuple(Fault.parse(text, row_faults) for text in texts)
            for day, texts in faults.items()
        }
        self._row_faults = row_faults
        self._more = more
        self._struck: Counter[tuple[dt.date, str]] = Counter()
        self._given: set[dt.date] = set()

    def rows(self, day: dt.date) -> list[str]:
        """The row faults of a day, in the order in which they were given."""
        return [f.kind for f in self._faults(day) if f.kind not in WIRE_FAULTS]

    def strikes(self, kind: str, window: Window) -> frozenset[dt.date]:
        """The days of a request that a wire fault hits; each hit uses up one attempt."""
        return frozenset(day for day in window if self._strikes_day(kind, day))

    def refusal(self, window: Window) -> str | None:
        """The fault by which a request is refused as a whole, if it is."""
        return next((kind for kind in REFUSALS if self.strikes(kind, window)), None)

    def broken_ends(self, window: Window) -> dict[dt.date, str]:
        """The days of a request at which its stream breaks off, and how."""
        found: dict[dt.date, str] = {}
        for day in window:
            kind = next((k for k in BROKEN_ENDS if self._strikes_day(k, day)), None)
            if kind is not None:
                found[day] = kind
        return found

    def give(self, window: Window) -> frozenset[dt.date]:
        """Note that these days are now given whole; those of them that were given before."""
        before = frozenset(day for day in window if day in self._given)
        self._given.update(window)
        return before

    def _faults(self, day: dt.date) -> tuple[Fault, ...]:
        named = self._by_day.get(day, ())
        if self._more is None:
            return named
        return (*named, *(Fault.parse(text, self._row_faults) for text in self._more(day)))

    def _strikes_day(self, kind: str, day: dt.date) -> bool:
        attempts = sum(f.attempts for f in self._faults(day) if f.kind == kind)
        if self._struck[day, kind] >= attempts:
            return False
        self._struck[day, kind] += 1
        return True
