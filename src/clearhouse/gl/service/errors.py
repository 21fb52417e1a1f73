"""What the service refuses, or can't do: one hierarchy, told as problem+json (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from clearhouse.core import problems
from clearhouse.core.errors import ClearhouseError
from clearhouse.gl.journal import Violation


class ServiceError(ClearhouseError):
    """An answer that is not what was asked for.

    Attributes:
        status: of HTTP.
        violations: each reason, where there are several.
        headers: that the answer has.
    """

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "internal_error"

    def __init__(
        self,
        message: str,
        code: str | None = None,
        violations: Sequence[Violation] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, code)
        self.violations = violations
        self.headers = dict(headers or {})


class BadRequestError(ServiceError):
    """The request can't be read."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_request"


class JournalRefusedError(ServiceError):
    """A journal breaks rules; nothing of it was stored."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "journal_refused"

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__("The journal is refused.", violations=violations)


class PeriodRefusedError(ServiceError):
    """A period can't be changed as asked."""

    status = HTTPStatus.CONFLICT
    code = "period_change_refused"

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__("The period stays as it is.", violations=violations)


class KeyReusedError(ServiceError):
    """Another journal was posted under the key."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "idempotency_key_reused"


class NotAuthenticatedError(ServiceError):
    """There is no key, or none that is known."""

    status = HTTPStatus.UNAUTHORIZED
    code = "not_authenticated"


class NotAllowedError(ServiceError):
    """The key lacks the scope."""

    status = HTTPStatus.FORBIDDEN
    code = "scope_missing"


class NotFoundError(ServiceError):
    """There is no such thing."""

    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class TooManyRequestsError(ServiceError):
    """The key has asked too often."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "rate_limited"


class NotReadyError(ServiceError):
    """The history is being made, or the store does not answer."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "not_ready"


def problem(error: ServiceError) -> dict[str, Any]:
    """The body of the answer."""
    body = problems.problem("gl", error.status, error.code, error.message)
    if error.violations:
        body["violations"] = [
            {"code": each.code, "message": each.message, "field": each.field}
            for each in error.violations
        ]
    return body
