"""What verification says of a request, for tests: accounts, bodies and the outcome."""

from pydantic import SecretStr
from webhook_signing import (
    ADYEN_KEY,
    NOW,
    SQUARE_KEY,
    SQUARE_URL,
    STRIPE_SECRET,
    WEBHOOK_ID,
    stripe_v1,
)

from clearhouse.payments.accounts import Account, Scheme
from clearhouse.payments.event import Provider
from clearhouse.payments.signatures import WebhookError, verify
from clearhouse.payments.webhook import RawWebhook

SECONDS = int(NOW.timestamp())
OTHER_KEY = "00" * 32
STRIPE_BODY = '{"id":"evt_1","type":"charge.succeeded","x":"Zoë €"}'.encode()
SQUARE_BODY = b'{"event_id":"e-1","type":"payment.updated","data":{}}'
PAYPAL_BODY = b'{"id":"WH-1","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"id":"C1"}}'
TOKEN_BODY = b'{"eventId":"E1","type":"recurring.token.created","environment":"test"}'

STRIPE = Account(Provider.STRIPE, secrets=(SecretStr(STRIPE_SECRET),))
SQUARE = Account(Provider.SQUARE, secrets=(SecretStr(SQUARE_KEY),), notification_url=SQUARE_URL)
ADYEN = Account(Provider.ADYEN, secrets=(SecretStr(ADYEN_KEY),))
ADYEN_HEADER = Account(
    Provider.ADYEN, "tokens", (SecretStr(ADYEN_KEY),), scheme=Scheme.ADYEN_HEADER
)
PAYPAL = Account(Provider.PAYPAL, webhook_id=WEBHOOK_ID)

RIGHT, WRONG = stripe_v1(STRIPE_BODY), "0" * 64

REFUND = {"originalReference": "8313547924770610", "eventCode": "REFUND"}
ADYEN_ITEMS = [
    {},
    REFUND,
    {"amount": {"value": 0, "currency": "USD"}},
    {"amount": None},
    {"merchantReference": "a:b:c"},
    {"merchantReference": "back\\slash\\:colon"},
    {"merchantReference": "Zoë"},
    {"merchantReference": ""},
    {"success": "false"},
    {"eventCode": "REPORT_AVAILABLE", "pspReference": "settlement_1.csv", "reason": "https://x"},
]


def secrets(*texts):
    return tuple(SecretStr(text) for text in texts)


def with_secrets(account, *texts):
    return Account(
        account.provider,
        account.name,
        secrets(*texts),
        account.scheme,
        account.notification_url,
        account.webhook_id,
    )


def outcome(account, body, headers, certificates=None, now=NOW):
    """`verified`, or the code of the refusal."""
    raw = RawWebhook(account.provider, "", headers, body, NOW)
    try:
        found = verify(raw, account, now, certificates)
    except WebhookError as refused:
        return without_secrets(account, refused).code
    assert found.body == body
    assert len(found.keys) == len(found.items)
    return "verified"


def without_secrets(account, refused):
    told = f"{refused!r} {refused.reason}"
    assert not any(secret.get_secret_value() in told for secret in account.secrets if secret)
    return refused
