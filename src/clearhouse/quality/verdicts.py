"""What a gate says of a day."""

import datetime as dt
from dataclasses import dataclass

from clearhouse.core.errors import ClearhouseError


class QualityError(ClearhouseError):
    """A gate came to no verdict: nothing is known of the data, good or bad."""

    code = "gate_failed_to_run"


@dataclass(frozen=True, slots=True)
class Failure:
    """One rule that one day broke.

    Args:
        expectation: the rule's type, as in the suite's file.
        column: the column that the rule is about.
        detail: one readable sentence; counts, bounds and a day's own figures, never the value of
            a single record.
        unexpected: rows of the day that broke the rule; 0 where the day has no rows at all.
    """

    expectation: str
    column: str
    detail: str
    unexpected: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """A day that passed a gate, or the rules that it broke, in the order of the suite's file."""

    day: dt.date
    passed: bool
    failures: tuple[Failure, ...]
