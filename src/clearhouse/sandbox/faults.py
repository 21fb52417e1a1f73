"""What can be made to go wrong, day by day.

Two families. A *row fault* changes what a day holds; each source registers its own, by name. A
*wire fault* spoils the answer of the first attempts on a day and then lets it through:

- `unavailable:N`: 503 with Retry-After, N times (once when N is not given);
- `cut_stream:N`: the connection is dropped in mid-record, N times.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from clearhouse.core.errors import UsageError
from clearhouse.core.window import Window

UNAVAILABLE = "unavailable"
CUT_STREAM = "cut_stream"
WIRE_FAULTS = (UNAVAILABLE, CUT_STREAM)


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
                f"{text!r} is not a fault: only {' and '.join(WIRE_FAULTS)} take a number of "
                f"attempts, 1 or more, as in {CUT_STREAM}:2.",
                "bad_fault",
            )
        return cls(kind, int(attempts))


class FaultPlan:
    """The faults of a server, and how often each wire fault has struck."""

    def __init__(
        self, faults: Mapping[dt.date, tuple[str, ...]], row_faults: Collection[str]
    ) -> None:
        self._by_day = {
            day: tuple(Fault.parse(text, row_faults) for text in texts)
            for day, texts in faults.items()
        }
        self._struck: Counter[tuple[dt.date, str]] = Counter()

    def rows(self, day: dt.date) -> list[str]:
        """The row faults of a day, in the order in which they were given."""
        return [f.kind for f in self._by_day.get(day, ()) if f.kind not in WIRE_FAULTS]

    def strikes(self, kind: str, window: Window) -> frozenset[dt.date]:
        """The days of a request that a wire fault hits; each hit uses up one attempt."""
        hit = frozenset(
            day
            for day, faults in self._by_day.items()
            for fault in faults
            if day in window and fault.kind == kind and self._struck[day, kind] < fault.attempts
        )
        self._struck.update((day, kind) for day in hit)
        return hit
