"""The accounts whose webhooks the sandbox's providers send, with well-known test secrets."""

from pydantic import SecretStr

from clearhouse.payments.accounts import DEFAULT, Account, Scheme
from clearhouse.payments.event import Provider

CONNECT = "connect"
"""Stripe's endpoint for the events of connected accounts."""

TOKENS = "tokens"
"""Adyen's endpoint for token and banking webhooks, which a header signs."""

STRIPE_SNAPSHOTS = "whsec_sandbox_snapshots_4fB2m9Qe7TzK1xVb"
STRIPE_THIN = "whsec_sandbox_thin_9Hs3Lw8Rc5Yd2nPj"
STRIPE_CONNECT_OLD = "whsec_sandbox_connect_old_6Gv1Xa4Uo8Ek7tMz"
STRIPE_CONNECT_NEW = "whsec_sandbox_connect_new_3Jq5Nd0Wi9Sf2yCh"
SQUARE_OLD = "sandbox-square-old-8mXc2VbR6tYp"
SQUARE_NEW = "sandbox-square-new-1kLz7QwE4uIo"
ADYEN_OLD = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
ADYEN_NEW = "9A1F3C5E7B2D4068ACE13579BDF02468FEDCBA98765432100123456789ABCDEF"
ADYEN_HEADER = "D0C057550C48EC2ACF6BA05644782DEF547AAA06C910C43932B1EB0C71FC68D9"

NOTIFICATION_URL = "https://pay.sandbox.example/webhooks/square"
"""As registered at Square, which signs it, whatever address the gateway really has."""

PAYPAL_WEBHOOK_ID = "5TY83291LS736945E"

STRIPE_KEY = "sk_sandbox_clearhouse"
SQUARE_KEY = "EAAAsandboxclearhouse"
ADYEN_REPORT_KEY = "AQEsandboxclearhouse"
PAYPAL_CLIENT_ID, PAYPAL_CLIENT_SECRET = "sandbox-client", "sandbox-client-secret"
PAYPAL_BEARER = "A21sandboxclearhouse"
"""What requests to the providers' APIs bear."""


def sandbox_accounts() -> list[Account]:
    """The accounts of the sandbox: what a gateway has to know to take its webhooks.

    The two secrets of Stripe's default account are those of its two destinations, one with snapshot
    and one with thin events. The other pairs are an old and a new secret in a rotation.
    """
    return [
        _account(Provider.STRIPE, STRIPE_SNAPSHOTS, STRIPE_THIN),
        _account(Provider.STRIPE, STRIPE_CONNECT_OLD, STRIPE_CONNECT_NEW, name=CONNECT),
        _account(Provider.SQUARE, SQUARE_OLD, SQUARE_NEW, notification_url=NOTIFICATION_URL),
        _account(Provider.ADYEN, ADYEN_OLD, ADYEN_NEW),
        _account(Provider.ADYEN, ADYEN_HEADER, name=TOKENS, scheme=Scheme.ADYEN_HEADER),
        _account(Provider.PAYPAL, webhook_id=PAYPAL_WEBHOOK_ID),
    ]


def _account(
    provider: Provider,
    *secrets: str,
    name: str = DEFAULT,
    scheme: Scheme = Scheme.STANDARD,
    notification_url: str = "",
    webhook_id: str = "",
) -> Account:
    return Account(
        provider,
        name,
        tuple(SecretStr(secret) for secret in secrets),
        scheme,
        notification_url,
        webhook_id,
    )
