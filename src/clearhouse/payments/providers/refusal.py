"""How a reader of a notification ends where it can't read it."""

from clearhouse.payments.problem import Problem


class RefusedError(Exception):
    """A notification can't be read; caught by `normalizing.normalize`."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].code)
        self.problems = problems

    @classmethod
    def of(cls, code: str, field: str, reason: str) -> "RefusedError":
        """The error of one problem."""
        return cls(Problem(code, field, reason))
