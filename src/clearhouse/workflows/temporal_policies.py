"""Running declared activities from within a workflow of Temporal. Imported by workflows: light."""

import datetime as dt
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

from clearhouse.workflows.activity import Activity

T = TypeVar("T")


def retry_policy(activity: Activity) -> RetryPolicy:
    """How the server, or the worker in its place, tries an activity again."""
    retry = activity.retry
    return RetryPolicy(
        initial_interval=dt.timedelta(seconds=retry.first_seconds),
        backoff_coefficient=retry.backoff,
        maximum_interval=dt.timedelta(seconds=retry.most_seconds),
        maximum_attempts=retry.attempts,
        non_retryable_error_types=sorted(retry.non_retryable),
    )


async def run_local(activity: Activity, argument: Any, result: type[T]) -> T:
    """Run an activity in the process that runs the workflow, by the activity's policy.

    It is no state transition of its own: what it has answered is kept with the workflow's next
    one. A process that ends before leaves it to be run again, so it has to bear that.

    Raises:
        FailureError: its last attempt failed.
    """
    answer: T = await workflow.execute_local_activity(
        activity.name,
        argument,
        result_type=result,
        start_to_close_timeout=dt.timedelta(seconds=activity.start_to_close_seconds),
        retry_policy=retry_policy(activity),
    )
    return answer
