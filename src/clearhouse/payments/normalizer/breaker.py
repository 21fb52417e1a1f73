"""A breaker: where most of what comes can't be read, the fault is ours, and nothing is given up."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from clearhouse.core.errors import ClearhouseError


class BreakerOpenError(ClearhouseError):
    """A flood of dead letters; nothing of the batch was committed."""

    code = "breaker_open"


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """When the breaker opens.

    Attributes:
        window: the number of latest webhooks that are looked at.
        share: of dead letters among them.
        least: dead letters that it takes, so that a few bad ones on a quiet day are no flood.
    """

    window: int = 1_000
    share: float = 0.25
    least: int = 50


class Breaker:
    """Looks at the latest outcomes. A redrive is no sign of a flood and is left out by the caller.

    Args:
        settings: None: it never opens.
    """

    def __init__(self, settings: BreakerSettings | None) -> None:
        self._settings = settings
        self._latest: deque[bool] = deque(maxlen=settings.window if settings else 0)

    def check(self, codes: Iterable[str | None]) -> deque[bool]:
        """What the latest outcomes would be after a batch.

        Args:
            codes: of the batch: why each was dead-lettered, None where it was not.

        Raises:
            BreakerOpenError: too many of them are dead letters.
        """
        after = self._latest.copy()
        worst: dict[str, int] = {}
        for code in codes:
            after.append(code is not None)
            if code is not None:
                worst[code] = worst.get(code, 0) + 1
            self._stop_at_a_flood(after, worst)
        return after

    def keep(self, after: deque[bool]) -> None:
        """Take over what `check` gave, once the batch is committed."""
        self._latest = after

    def _stop_at_a_flood(self, after: deque[bool], codes: dict[str, int]) -> None:
        limits = self._settings
        if limits is None or not codes:
            return
        dead = sum(after)
        if dead < limits.least or dead < limits.share * len(after):
            return
        code = max(codes, key=lambda each: codes[each])
        raise BreakerOpenError(
            f"{dead} of the latest {len(after)} webhooks could not be normalized, most of them for "
            f"{code}: nothing of this batch was committed. Correct the mapping and start the "
            "normalizer again, or start it without the breaker to dead-letter them all."
        )
