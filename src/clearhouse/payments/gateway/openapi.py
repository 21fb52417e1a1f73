"""What OpenAPI says of webhooks, which are answered before the framework sees them."""

from typing import Any

from fastapi import FastAPI

from clearhouse.core.problems import PROBLEM_JSON
from clearhouse.payments.event import Provider

_PROBLEM = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "A stable word for programs."},
        "detail": {"type": "string"},
    },
}
_ACCEPTED = {
    "title": "Accepted",
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"const": "accepted"}},
}

_EXAMPLES: dict[str, dict[str, Any]] = {
    "stripe": {
        "summary": "Stripe, signed by Stripe-Signature",
        "value": {
            "id": "evt_1PgafmB7WZ01zgkW6dKueIc5",
            "object": "event",
            "type": "charge.succeeded",
            "api_version": "2026-06-24.dahlia",
            "created": 1772366400,
            "livemode": False,
            "data": {"object": {"id": "ch_3MmlLrLkdIwHu7ix0snN0B15", "object": "charge"}},
        },
    },
    "square": {
        "summary": "Square, signed by x-square-hmacsha256-signature",
        "value": {
            "merchant_id": "6SSW7HV8K2ST5",
            "type": "payment.updated",
            "event_id": "13b867cf-db3d-4b1c-90b6-2f32a9d78124",
            "created_at": "2026-03-01T12:00:00Z",
            "data": {"type": "payment", "id": "KkAkhdMsgzn59SM8A89WgKwekxLZY"},
        },
    },
    "adyen": {
        "summary": "Adyen, signed in each item",
        "value": {
            "live": "false",
            "notificationItems": [
                {
                    "NotificationRequestItem": {
                        "pspReference": "7914073381342284",
                        "merchantAccountCode": "TestMerchant",
                        "merchantReference": "TestPayment-1407325143704",
                        "amount": {"value": 1130, "currency": "EUR"},
                        "eventCode": "AUTHORISATION",
                        "success": "true",
                        "additionalData": {"hmacSignature": "…"},
                    }
                }
            ],
        },
    },
    "paypal": {
        "summary": "PayPal, signed by its certificate (PAYPAL-TRANSMISSION-SIG)",
        "value": {
            "id": "WH-58D329510W468432D-8HN650336L201105X",
            "event_type": "PAYMENT.CAPTURE.COMPLETED",
            "resource_type": "capture",
            "resource": {"id": "42311647XV020574X", "status": "COMPLETED"},
        },
    },
}


def describe(app: FastAPI) -> None:
    """Add the webhooks to what an application says of itself."""
    own = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = own()
            schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
            paths = schema["paths"]
            paths["/webhooks/{provider}"] = {"post": _operation("take_webhook", [_PROVIDER])}
            paths["/webhooks/{provider}/{account}"] = {
                "post": _operation("take_webhook_of_account", [_PROVIDER, _ACCOUNT])
            }
        return own()

    app.openapi = described  # type: ignore[method-assign]


def problem_response(description: str) -> dict[str, Any]:
    """An answer that is an error, as OpenAPI describes it."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {PROBLEM_JSON: {"schema": schema}}}


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": schema,
        "description": description,
    }


_PROVIDER = _parameter(
    "provider", {"type": "string", "enum": [str(each) for each in Provider]}, "Who sends it."
)
_ACCOUNT = _parameter(
    "account",
    {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    "Which of the configured accounts of the provider; without it, `default`.",
)


def _operation(name: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": "Take a webhook",
        "description": "Signed as its provider signs. It is answered when the log has it.",
        "tags": ["webhooks"],
        "parameters": parameters,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {}, "examples": _EXAMPLES}},
        },
        "responses": {
            "200": {
                "description": "The log has it. (It may be a dead letter there.)",
                "content": {"application/json": {"schema": _ACCEPTED}},
            },
            "202": {
                "description": "The log has it; the answer that Adyen wants.",
                "content": {"text/plain": {"schema": {"const": "[accepted]"}}},
            },
            "401": problem_response("No live key has signed it. It is counted, and not kept."),
            "404": problem_response("No such account is configured."),
            "405": problem_response("It was not sent by POST."),
            "408": problem_response("The body did not come in time."),
            "413": problem_response("The body is too large."),
            "415": problem_response("The body has a content encoding."),
            "503": problem_response("The log can't take it, or PayPal's certificate can't be had."),
        },
    }
