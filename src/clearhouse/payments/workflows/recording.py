"""Recording what many runs ask for at the same time, in few transactions."""

import time
from collections.abc import Callable, Sequence

import sqlalchemy as sa
import structlog
from temporalio.exceptions import ApplicationError

from clearhouse.core.batching import Batcher
from clearhouse.core.errors import ClearhouseError, place_of
from clearhouse.payments.store.recorder import Handled, Outcomes, Recorder
from clearhouse.payments.workflows.messages import RECORD_FAILED

_GATHER_SECONDS = 0.05
"""A transaction costs about as much as the recording of ten events in it."""
_MOST_DEFECTS = 20
"""Events one after another that can't be recorded, before it is taken for a defect of ours: runs
wait from then on, instead of dead-lettering everything."""
_OUTAGES = (ClearhouseError, sa.exc.OperationalError, sa.exc.TimeoutError)

_log = structlog.get_logger()


class Recording:
    """Records for many runs at once; of a batch that can't be recorded whole, each event that can.

    Args:
        recorder: records a batch.
        on_outcomes: told of each batch that was committed.
        on_state: told what is in the way of a batch; None: nothing.
        on_seconds: told how long each batch took.
    """

    def __init__(
        self,
        recorder: Recorder,
        on_outcomes: Callable[[Outcomes], None],
        on_state: Callable[[Exception | None], None],
        on_seconds: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._recorder = recorder
        self._on_outcomes = on_outcomes
        self._on_state = on_state
        self._on_seconds = on_seconds
        self._batcher = Batcher(self._record, gather_seconds=_GATHER_SECONDS)
        self._defects = 0

    async def record(self, handled: Handled) -> str:
        """Record one event; what became of it: recorded, duplicate or dead_letter.

        Raises:
            ApplicationError: it can't be recorded, however often it is tried (record_failed).
            Exception: the store does not answer.
        """
        return await self._batcher.ask(handled)

    def _record(self, batch: Sequence[Handled]) -> list[str | Exception]:
        begun = time.perf_counter()
        try:
            outcomes = self._recorder.record(batch, None)
        except _OUTAGES as error:
            self._on_state(error)
            raise
        except Exception as error:  # noqa: BLE001  # a defect is about one event, so long as few are
            if len(batch) > 1:
                middle = len(batch) // 2
                return [*self._record(batch[:middle]), *self._record(batch[middle:])]
            return [self._refused(batch[0], error)]
        self._on_seconds(time.perf_counter() - begun)
        self._on_state(None)
        self._on_outcomes(outcomes)
        if not any(each.problems and each.problems[0].code == RECORD_FAILED for each in batch):
            self._defects = 0
        return list(outcomes.of_each)

    def _refused(self, handled: Handled, error: Exception) -> Exception:
        _log.error(
            "event_not_recorded",
            event_id=handled.event.event_id,
            error=type(error).__name__,
            at=place_of(error),
        )
        self._defects += 1
        if self._defects > _MOST_DEFECTS or handled.problems:
            return error
        return ApplicationError("It can't be recorded.", type=RECORD_FAILED, non_retryable=True)
