"""Events that can't be recorded, and when they are taken for a defect of ours."""

from collections.abc import Sequence

import structlog

from clearhouse.core.errors import place_of
from clearhouse.payments.problem import RECORD_FAILED
from clearhouse.payments.store.recorder import Handled

_MOST = 20
"""One after another. After them nothing is dead-lettered any more: it would be everything."""
_log = structlog.get_logger()


class Defects:
    """Counts events that can't be recorded, one after another."""

    def __init__(self) -> None:
        self._count = 0

    def is_of_the_event(self, handled: Handled, error: Exception) -> bool:
        """Note that an event can't be recorded; whether it is to be dead-lettered for that."""
        _log.error(
            "event_not_recorded",
            event_id=handled.event.event_id,
            error=type(error).__name__,
            at=place_of(error),
        )
        self._count += 1
        return self._count <= _MOST and not handled.problems

    def end_with(self, recorded: Sequence[Handled]) -> None:
        """Count from the beginning, where what was recorded is more than such a dead letter."""
        if not any(e.problems and e.problems[0].code == RECORD_FAILED for e in recorded):
            self._count = 0
