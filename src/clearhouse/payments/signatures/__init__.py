"""The signatures of webhooks, one file a provider. Nothing else makes a `VerifiedWebhook`."""

import datetime as dt
from collections.abc import Callable, Mapping

from clearhouse.payments.accounts import Account, Scheme
from clearhouse.payments.event import Provider
from clearhouse.payments.signatures import adyen, paypal, square, stripe
from clearhouse.payments.signatures.certificates import Certificates
from clearhouse.payments.signatures.checking import Checked, Delivery
from clearhouse.payments.signatures.refusals import (
    CertificateUnavailable,
    MalformedWebhook,
    SignatureRefused,
    WebhookError,
)
from clearhouse.payments.signatures.structure import key_of
from clearhouse.payments.webhook import Malformed, RawWebhook, VerifiedWebhook

__all__ = [
    "CertificateUnavailable",
    "Certificates",
    "MalformedWebhook",
    "SignatureRefused",
    "WebhookError",
    "verify",
]

_CHECKS: Mapping[tuple[Provider, Scheme], Callable[[Delivery], Checked]] = {
    (Provider.STRIPE, Scheme.STANDARD): stripe.check,
    (Provider.SQUARE, Scheme.STANDARD): square.check,
    (Provider.ADYEN, Scheme.STANDARD): adyen.check_items,
    (Provider.ADYEN, Scheme.ADYEN_HEADER): adyen.check_body,
    (Provider.PAYPAL, Scheme.STANDARD): paypal.check,
}


def verify(
    raw: RawWebhook,
    account: Account,
    now: dt.datetime,
    certificates: Certificates | None = None,
) -> VerifiedWebhook:
    """A webhook whose signature and structure are right.

    It reads nothing and asks nobody, but for a certificate of PayPal's that is not known yet.

    Args:
        raw: the request.
        account: of the webhook's provider.
        now: in UTC.
        certificates: where PayPal's are found.

    Raises:
        SignatureRefused: it is not shown that the provider signed it.
        MalformedWebhook: the provider did, and it is no notification. Of several in one request
            those are told of by `VerifiedWebhook.malformed`.
        CertificateUnavailable: what would show it can't be had now.
    """
    checked = _CHECKS[raw.provider, account.scheme](Delivery(raw, account, now, certificates))
    keys = []
    malformed: dict[int, Malformed] = {}
    for number, item in enumerate(checked.items):
        try:
            keys.append(key_of(raw.provider, account, item))
        except MalformedWebhook as error:
            error.key_id = checked.key_id
            if len(checked.items) == 1:
                raise
            malformed[number] = Malformed(error.code, error.reason, error.key_id)
            keys.append("")
    return VerifiedWebhook(
        provider=raw.provider,
        account=account.told_of,
        key_id=checked.key_id,
        items=checked.items,
        body=raw.body,
        received_at=raw.received_at,
        verified_at=now,
        keys=tuple(keys),
        malformed=malformed,
    )
