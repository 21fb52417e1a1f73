"""The providers' APIs: what is asked of them when webhooks do not say enough.

- Stripe: events, objects that thin events name, payouts with their balance transactions.
- Square: payouts with their entries. Adyen: settlement detail reports. PayPal: transactions, and
  its certificate.

The world is made when it is first asked for, which takes some seconds for 20,000 webhooks.
"""

import base64
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clearhouse.core.errors import UsageError
from clearhouse.payments.accounts import DEFAULT
from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments import (
    accounts,
    adyen_payouts,
    certificates,
    paypal_balance,
    square_payouts,
    stripe_payouts,
)
from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.payments.output import encode
from clearhouse.sandbox.payments.stripe_lists import NotWholeError, Page, page_of, whole
from clearhouse.sandbox.payments.world import World

_JSON = "application/json"
_MOST_DAYS, _MOST_ROWS = dt.timedelta(days=31), 500


def create_app(options: PaymentOptions | None = None) -> Starlette:
    """The providers' APIs as one ASGI application.

    Raises:
        UsageError: the options name faults.
    """
    asked = options or PaymentOptions()
    if asked.faults or asked.hostile:
        raise UsageError("The payment providers of the sandbox have no faults.", "bad_fault")
    return _Api(asked).app()


class _Api:
    def __init__(self, options: PaymentOptions) -> None:
        self._options = options

    @cached_property
    def _world(self) -> World:
        asked = self._options
        return World(asked.seed, asked.webhooks, today=asked.today, missed=asked.missed)

    def app(self) -> Starlette:
        """All routes."""
        return Starlette(
            routes=[
                Route("/v1/events", self._stripe(self._events)),
                Route("/v1/balance_transactions", self._stripe(self._entries)),
                Route("/v1/payouts", self._stripe(self._payouts)),
                Route("/v2/core/events/{id}", self._stripe(self._thin)),
                Route(f"{certificates.PATH}/{{id}}", _certificate),
                Route("/v2/payouts", self._square(self._square_payouts)),
                Route("/v2/payouts/{id}", self._square(self._square_payout)),
                Route("/v2/payouts/{id}/payout-entries", self._square(self._square_entries)),
                Route("/reports/download/MerchantAccount/{account}/{name}", self._report),
                Route("/v1/oauth2/token", _paypal_token, methods=["POST"]),
                Route("/v1/reporting/transactions", self._transactions),
                Route("/v1/{objects}/{id}", self._stripe(self._object)),
            ]
        )

    # Stripe

    def _stripe(self, answer: Callable[[Request, str], Response]) -> Callable[[Request], Response]:
        """An answer for who bears the key; it is told the connected account, "" for one's own."""

        def answered(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {accounts.STRIPE_KEY}":
                return _stripe_error(HTTPStatus.UNAUTHORIZED, "Invalid API Key provided.")
            try:
                return answer(request, request.headers.get("stripe-account", ""))
            except NotWholeError as error:
                return _stripe_error(
                    HTTPStatus.BAD_REQUEST, str(error), "parameter_invalid_integer"
                )

        return answered

    @cached_property
    def _events_by_account(self) -> dict[str, list[dict[str, Any]]]:
        """Events, newest first, by account."""
        found: dict[str, list[dict[str, Any]]] = {}
        world = self._world
        missed = {world.notices[number].content for number in world.missed}
        for event in sorted(world.output.stripe_events, key=lambda e: (-e.created, e.id)):
            if event.livemode:
                row = {
                    "id": event.id,
                    "created": event.created,
                    "type": event.type,
                    "body": event.body,
                    "is_delivered": event.body not in missed,
                }
                found.setdefault(event.account, []).append(row)
        return found

    def _events(self, request: Request, account: str) -> Response:
        rows = self._events_by_account.get(account, [])
        query = request.query_params
        types = set(query.getlist("types[]")) | set(query.getlist("type"))
        if types:
            rows = [row for row in rows if row["type"] in types]
        delivered = query.get("delivery_success")
        if delivered is not None:
            rows = [row for row in rows if row["is_delivered"] is (delivered == "true")]
        return _listed("/v1/events", page_of(rows, query), lambda row: bytes(row["body"]))

    def _object(self, request: Request, account: str) -> Response:
        found = self._world.output.objects.get((account, True, request.path_params["id"]))
        if found is None or f"{found['object']}s" != request.path_params["objects"]:
            return _no_such(request.path_params["id"])
        return Response(encode(found), media_type=_JSON)

    def _thin(self, request: Request, _account: str) -> Response:
        found = self._world.output.thin.get(request.path_params["id"])
        if found is None:
            return _no_such(request.path_params["id"])
        return Response(encode(found), media_type=_JSON)

    def _payouts(self, request: Request, account: str) -> Response:
        rows = [
            dict(found)
            for (whose, is_live, _), found in self._world.output.objects.items()
            if whose == account and is_live and found["object"] == "payout"
        ]
        rows.sort(key=lambda row: (-row["created"], row["id"]))
        return _listed("/v1/payouts", page_of(rows, request.query_params), encode)

    def _entries(self, request: Request, account: str) -> Response:
        asked = request.query_params.get("payout", "")
        whose = account or DEFAULT
        payout = next(
            (
                payout
                for payout in self._world.output.payouts
                if payout.provider is Provider.STRIPE
                and payout.account == whose
                and payout.id == asked
            ),
            None,
        )
        if payout is None:
            return _no_such(asked)
        if payout.reverses is not None:
            text = "Balance transaction history can only be filtered on automatic transfers."
            return _stripe_error(HTTPStatus.BAD_REQUEST, text)
        page = page_of(stripe_payouts.entries(payout), request.query_params)
        return _listed("/v1/balance_transactions", page, encode)

    # Square

    def _square(self, answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """An answer for who bears the token."""

        def answered(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {accounts.SQUARE_KEY}":
                return _square_error(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED")
            try:
                return answer(request)
            except NotWholeError:
                return _square_error(HTTPStatus.BAD_REQUEST, "EXPECTED_INTEGER")

        return answered

    @cached_property
    def _of_square(self) -> dict[str, Any]:
        payouts = self._world.output.payouts
        return {each.id: each for each in payouts if each.provider is Provider.SQUARE}

    def _square_payouts(self, request: Request) -> Response:
        rows = [_square_object(each) for each in self._of_square.values()]
        return _by_cursor("payouts", rows, request)

    def _square_payout(self, request: Request) -> Response:
        payout = self._of_square.get(request.path_params["id"])
        if payout is None:
            return _square_error(HTTPStatus.NOT_FOUND, "NOT_FOUND")
        return JSONResponse({"payout": _square_object(payout)})

    def _square_entries(self, request: Request) -> Response:
        payout = self._of_square.get(request.path_params["id"])
        if payout is None:
            return _square_error(HTTPStatus.NOT_FOUND, "NOT_FOUND")
        return _by_cursor("payout_entries", square_payouts.entries(payout), request)

    # Adyen

    def _report(self, request: Request) -> Response:
        """A report, by its merchant account and name."""
        if request.headers.get("x-api-key") != accounts.ADYEN_REPORT_KEY:
            return Response("Unauthorized", HTTPStatus.UNAUTHORIZED)
        name = request.path_params["name"]
        payout = self._world.reports.get(f"{request.path_params['account']}/{name}")
        if payout is None:
            return Response("No such report", HTTPStatus.NOT_FOUND)
        return Response(adyen_payouts.report(payout, name), media_type="text/csv")

    # PayPal

    @cached_property
    def _of_paypal(self) -> list[dict[str, Any]]:
        return paypal_balance.transactions(self._world.output)

    def _transactions(self, request: Request) -> Response:
        """A page of the transactions between two moments, both included."""
        if request.headers.get("authorization") != f"Bearer {accounts.PAYPAL_BEARER}":
            return _paypal_error(HTTPStatus.UNAUTHORIZED, "AUTHENTICATION_FAILURE")
        try:
            first, last, page, size = _asked_of_paypal(request.query_params)
        except (KeyError, ValueError):
            return _paypal_error(HTTPStatus.BAD_REQUEST, "INVALID_REQUEST")
        rows = [row for row in self._of_paypal if first <= _initiated(row) <= last]
        shown = rows[(page - 1) * size : page * size]
        # Nothing happens after the world's end: all that is asked for is listed.
        refreshed = max(last, self._world.end) + dt.timedelta(seconds=1)
        return JSONResponse(
            {
                "transaction_details": [{"transaction_info": row} for row in shown],
                "account_number": "SANDBOXMERCHANT",
                "start_date": paypal_balance.written(first),
                "end_date": paypal_balance.written(last),
                "last_refreshed_datetime": paypal_balance.written(refreshed),
                "page": page,
                "total_items": len(rows),
                "total_pages": -(-len(rows) // size),
            }
        )


def _asked_of_paypal(query: Mapping[str, str]) -> tuple[dt.datetime, dt.datetime, int, int]:
    """The first and the last moment, the page and its size that a search asks for.

    Raises:
        KeyError, ValueError: PayPal refuses it.
    """
    first, last = (_moment(query[f"{which}_date"]) for which in ("start", "end"))
    page, size = int(query.get("page", "1")), int(query.get("page_size", "100"))
    if not (first <= last <= first + _MOST_DAYS and page >= 1 and 1 <= size <= _MOST_ROWS):
        raise ValueError
    return first, last, page, size


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _initiated(row: Mapping[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(row["transaction_initiation_date"])


async def _paypal_token(request: Request) -> Response:
    """A token for who bears the id and the secret of the app."""
    pair = f"{accounts.PAYPAL_CLIENT_ID}:{accounts.PAYPAL_CLIENT_SECRET}".encode()
    if request.headers.get("authorization") != f"Basic {base64.b64encode(pair).decode()}":
        return _paypal_error(HTTPStatus.UNAUTHORIZED, "invalid_client")
    if await request.body() != b"grant_type=client_credentials":
        return _paypal_error(HTTPStatus.BAD_REQUEST, "unsupported_grant_type")
    return JSONResponse(
        {"access_token": accounts.PAYPAL_BEARER, "token_type": "Bearer", "expires_in": 32_400}
    )


def _certificate(request: Request) -> Response:
    if request.path_params["id"] != certificates.CERTIFICATE_ID:
        return Response("No such certificate", HTTPStatus.NOT_FOUND)
    return Response(certificates.chain(), media_type="application/x-pem-file")


def _listed(url: str, page: Page, written: Callable[[dict[str, Any]], bytes]) -> Response:
    """A list as Stripe answers it."""
    if page.unknown is not None:
        return _stripe_error(HTTPStatus.BAD_REQUEST, f"No such object: '{page.unknown}'")
    data = b",".join(written(row) for row in page.rows)
    more = b"true" if page.has_more else b"false"
    body = b'{"object":"list","data":[%b],"has_more":%b,"url":"%b"}' % (data, more, url.encode())
    return Response(body, media_type=_JSON)


def _no_such(name: str) -> Response:
    return _stripe_error(HTTPStatus.NOT_FOUND, f"No such object: '{name}'", "resource_missing")


def _stripe_error(status: HTTPStatus, message: str, code: str | None = None) -> Response:
    error = {"type": "invalid_request_error", "message": message, "code": code}
    return JSONResponse({"error": error}, status)


def _paypal_error(status: HTTPStatus, name: str) -> Response:
    return JSONResponse({"name": name, "message": "The request is refused."}, status)


def _square_error(status: HTTPStatus, code: str) -> Response:
    category = "AUTHENTICATION_ERROR" if status == HTTPStatus.UNAUTHORIZED else "INVALID_REQUEST"
    return JSONResponse({"errors": [{"category": category, "code": code}]}, status)


def _square_object(payout: Any) -> Mapping[str, Any]:
    return {
        "id": payout.id,
        "amount_money": {"amount": payout.amount, "currency": payout.currency},
        "status": payout.status.upper(),
        "type": "BATCH",
    }


def _by_cursor(name: str, rows: Sequence[Mapping[str, Any]], request: Request) -> Response:
    """A page as Square answers it: a cursor where there are more."""
    limit = max(1, min(whole(request.query_params, "limit", 100), 100))
    begun = max(0, whole(request.query_params, "cursor", 0))
    found: dict[str, Any] = {name: rows[begun : begun + limit]}
    if begun + limit < len(rows):
        found["cursor"] = str(begun + limit)
    return JSONResponse(found)
