"""What is wrong with a webhook or an event, so that a dead letter can say it."""

from dataclasses import dataclass

RECORD_FAILED = "record_failed"
"""Code of an event that can't be stored, whatever the number of tries."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        code: a stable word for programs.
        field: where it is wrong, by the name that the event or the provider has for it; "" where
            the whole is meant.
        reason: a sentence for people; it holds no secret and no card number.
    """

    code: str
    field: str
    reason: str

    def __str__(self) -> str:
        return self.reason
