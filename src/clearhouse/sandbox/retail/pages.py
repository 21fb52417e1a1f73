"""How a retailer refuses: the pages of its web framework, and the errors of its database."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import HTMLResponse, Response

from clearhouse.sandbox.retail.retailer import Api

_TEXTS = {
    HTTPStatus.BAD_REQUEST: (
        "The browser (or proxy) sent a request that this server could not understand."
    ),
    HTTPStatus.NOT_FOUND: (
        "The requested URL was not found on the server. If you entered the URL manually please "
        "check your spelling and try again."
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: "The method is not allowed for the requested URL.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "Did not attempt to load JSON data because the request Content-Type was not "
        "&#39;application/json&#39;."
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "The server encountered an internal error and was unable to complete your request. Either "
        "the server is overloaded or there is an error in the application."
    ),
}

# PostgreSQL shows so many characters of a line around the place of an error.
_SHOWN_BEFORE, _SHOWN_AFTER = 50, 10


def page(status: HTTPStatus) -> str:
    """The page of a status."""
    return (
        f"<!doctype html>\n<html lang=en>\n<title>{status.value} {status.phrase}</title>\n"
        f"<h1>{status.phrase}</h1>\n<p>{_TEXTS[status]}</p>\n"
    )


def html(status: HTTPStatus, headers: dict[str, str] | None = None) -> Response:
    """A refusal by a page."""
    return HTMLResponse(page(status), status, headers)


def error(text: str, status: HTTPStatus) -> Response:
    """A refusal in JSON."""
    body = json.dumps({"error": text}, separators=(",", ":")) + "\n"
    return Response(body, status, media_type="application/json")


def bad_date(api: Api, dates: Mapping[str, str], bad: str) -> Response:
    """What the database says of a date that is none; `dates` are those that were given, by name."""
    tests = [
        f"AND DATE({api.column}) {sign} '{dates[name]}'"
        for name, sign in ((api.first, ">="), (api.last, "<="))
        if name in dates
    ]
    query = " ".join([api.query, *tests, "ORDER BY", api.column])
    at = query.index(f"'{bad}'")
    before = f"LINE {api.query_line}: ...{query[at - _SHOWN_BEFORE : at]}"
    return error(
        f'invalid input syntax for type date: "{bad}"\n'
        f"{before}{query[at : at + _SHOWN_AFTER]}...\n"
        f"{' ' * len(before)}^\n",
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
