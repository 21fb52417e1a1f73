"""Errors of our services as problem+json (RFC 9457), with a code for programs."""

from http import HTTPStatus
from typing import Any

PROBLEM_JSON = "application/problem+json"


def problem(service: str, status: HTTPStatus, code: str, detail: str) -> dict[str, Any]:
    """The body of an answer that is an error.

    Args:
        service: in the type of the problem, beside the code.
        status: of HTTP.
        code: a stable word.
        detail: a sentence for people.
    """
    return {
        "type": f"urn:clearhouse:{service}:{code}",
        "title": status.phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
    }
