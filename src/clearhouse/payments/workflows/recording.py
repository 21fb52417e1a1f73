"""Recording what many runs ask for at the same time, in few transactions."""

import time
from collections.abc import Callable, Sequence

import structlog
from temporalio.exceptions import ApplicationError

from clearhouse.core.batching import Batcher
from clearhouse.payments.problem import RECORD_FAILED
from clearhouse.payments.store.database import OUTAGES
from clearhouse.payments.store.recorder import Handled, Outcomes, Recorder
from clearhouse.payments.worker.defects import Defects

_GATHER_SECONDS = 0.05
"""A transaction costs about as much as the recording of ten events in it."""

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
        self._defects = Defects()

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
        except OUTAGES as error:
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
        self._defects.end_with(batch)
        return list(outcomes.of_each)

    def _refused(self, handled: Handled, error: Exception) -> Exception:
        if not self._defects.is_of_the_event(handled, error):
            return error
        return ApplicationError("It can't be recorded.", type=RECORD_FAILED, non_retryable=True)
