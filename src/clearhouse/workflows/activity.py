"""What services need of durable workflows, and no more.

An activity is a step that can fail and be tried again. Its policy is data: what runs it keeps to
it, in process or on a server. An error that no second try mends names a code of `non_retryable`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from clearhouse.core.errors import ClearhouseError

T = TypeVar("T")


class ActivityTooSlowError(ClearhouseError):
    """An activity did not end within its time; what it does still is not waited for."""

    code = "activity_too_slow"


@dataclass(frozen=True, slots=True)
class Retry:
    """How an activity is tried again.

    Attributes:
        attempts: at most, the first one included.
        first_seconds: between the first two attempts.
        backoff: each pause is so many times the one before.
        most_seconds: of a pause.
        non_retryable: codes of errors that end it at once; of an error that has no code, its type.
    """

    attempts: int = 1
    first_seconds: float = 0.1
    backoff: float = 2.0
    most_seconds: float = 5.0
    non_retryable: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Activity:
    """A step of a workflow.

    Attributes:
        name: in logs, in what is recorded, and on a workflow server.
        start_to_close_seconds: how long one attempt may take.
        retry: how it is tried again.
        can_be_left: an attempt that takes too long may go on unseen: it has no effect but its
            answer. One that writes is waited for, as the store that it writes to has a time-out of
            its own, and two attempts side by side would be worse.
    """

    name: str
    start_to_close_seconds: float
    retry: Retry = field(default_factory=Retry)
    can_be_left: bool = False


class Workflows(Protocol):
    """Runs activities by their policies."""

    def run(self, activity: Activity, work: Callable[[], T]) -> T:
        """Do the work of an activity, again where its policy says so.

        Returns:
            What the work returns.

        Raises:
            ActivityTooSlowError: the last attempt took too long.
            Exception: what the last attempt raised, or the first whose code is not retried.
        """
        ...

    def close(self) -> None:
        """Stop what is at work."""
        ...
