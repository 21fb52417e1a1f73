"""Why a notification can't be read as an event: typed, and without the data that was wrong."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        code: a stable snake_case word for programs.
        field: where, as a path in the notification such as `data.object.amount`; "" for the whole.
        reason: a sentence for people. It quotes no value: it may be a card number or a secret.
    """

    code: str
    field: str
    reason: str


class RefusedError(Exception):
    """A notification can't be read; caught by `normalizing.normalize`."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].code)
        self.problems = problems

    @classmethod
    def of(cls, code: str, field: str, reason: str) -> "RefusedError":
        """The error of one problem."""
        return cls(Problem(code, field, reason))
