"""Errors on their way from an activity to a workflow of Temporal: a code, and a sentence."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from clearhouse.core.errors import ClearhouseError, place_of

P = ParamSpec("P")
R = TypeVar("R")

_log = structlog.get_logger()


def coded(work: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Have an activity raise errors by their codes; of one that has no code, its type.

    What an unexpected error says is left out: it may hold what the event says.
    """

    @wraps(work)
    async def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await work(*args, **kwargs)
        except ApplicationError:
            raise
        except ClearhouseError as error:
            raise ApplicationError(error.message, type=error.code) from None
        except Exception as error:  # noqa: BLE001  # of any, the code is told
            kind = type(error).__name__
            _log.error("activity_failed", activity=work.__name__, error=kind, at=place_of(error))
            raise ApplicationError(f"It failed: {kind}.", type=kind) from None

    return run


def code_of(error: FailureError) -> str:
    """The code of what an activity failed with; of a time-out or a cancellation, its type.

    Args:
        error: what the workflow was told: of a local activity, that itself; of another, around it.
    """
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, ApplicationError) and cause.type:
        return cause.type
    return type(cause).__name__
