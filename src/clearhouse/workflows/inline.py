"""Activities in this process: a plain call, tried again by `stamina`.

Durable is what calls it: a loop whose offset is in the store that holds the effects of what it has
handled. When the process ends, the next one begins where the last effects end.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import copy_context
from typing import TypeVar

import stamina

from clearhouse.core.errors import ClearhouseError
from clearhouse.workflows.activity import Activity, ActivityTooSlowError

_MOST_LEFT = 8
"""Attempts that were left and go on: more than these are waited for by those that come after."""

T = TypeVar("T")


class InlineWorkflows:
    """Runs activities here and now (see `Workflows`)."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_MOST_LEFT, thread_name_prefix="activity")

    def run(self, activity: Activity, work: Callable[[], T]) -> T:
        """See `Workflows.run`."""
        retry = activity.retry
        for attempt in stamina.retry_context(
            on=lambda error: _may_be_tried_again(error, activity),
            attempts=retry.attempts,
            timeout=None,
            wait_initial=retry.first_seconds,
            wait_max=retry.most_seconds,
            wait_exp_base=retry.backoff,
            wait_jitter=retry.first_seconds / 2,
        ):
            with attempt:
                return self._once(activity, work)
        raise AssertionError(activity.name)  # the last attempt returns or raises

    def close(self) -> None:
        """See `Workflows.close`."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _once(self, activity: Activity, work: Callable[[], T]) -> T:
        if not activity.can_be_left:
            return work()
        # Its spans are those of what it is done for.
        future: Future[T] = self._threads.submit(copy_context().run, work)
        try:
            return future.result(activity.start_to_close_seconds)
        except FutureTimeoutError:
            if future.done():  # it is an error of the work itself
                raise
            future.cancel()
            raise ActivityTooSlowError(
                f"{activity.name} took more than {activity.start_to_close_seconds:g} s."
            ) from None


def _may_be_tried_again(error: Exception, activity: Activity) -> bool:
    code = error.code if isinstance(error, ClearhouseError) else type(error).__name__
    return code not in activity.retry.non_retryable
