"""Square: `x-square-hmacsha256-signature` signs the notification URL and the body.

The URL is the one that is registered at Square, from the account: what a proxy makes of it on the
way is not what was signed. The older header, with SHA-1, is not looked at.
"""

import base64

from clearhouse.payments.signatures.checking import (
    Checked,
    Delivery,
    as_text,
    header,
    key_that_signed,
    live_secrets,
)
from clearhouse.payments.signatures.refusals import SignatureRefused

HEADER = "x-square-hmacsha256-signature"


def check(delivery: Delivery) -> Checked:
    """See `signatures.verify`."""
    secrets = live_secrets(delivery.account)
    given = header(delivery.raw, HEADER)
    url = delivery.account.notification_url
    if not url:
        raise SignatureRefused("no_notification_url", "The account has no notification URL.")
    signed = url.encode() + delivery.raw.body
    key_id = key_that_signed(secrets, as_text, signed, [given], base64.b64encode)
    return Checked(key_id, (delivery.raw.body,))
