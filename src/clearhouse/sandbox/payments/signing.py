"""How each provider signs what it sends. The verifiers of the gateway are written apart from this.

Each function returns the headers of a request, but `adyen_item`, whose signature is in the body.
"""

import base64
import datetime as dt
import hashlib
import hmac
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from clearhouse.sandbox.payments import certificates

Headers = dict[str, str]


def stripe(body: bytes, secrets: Sequence[str], timestamp: int) -> Headers:
    """`Stripe-Signature`, with a `v1` for each secret, and a `v0` that is no one's.

    Args:
        body: the request's.
        secrets: whole, as `whsec_…`; during a rotation both.
        timestamp: of the sending, in Unix seconds.
    """
    signed = b"%d.%b" % (timestamp, body)
    found = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    parts = [f"t={timestamp}", *(f"v1={signature}" for signature in found), f"v0={'6' * 64}"]
    return {"stripe-signature": ",".join(parts)}


def square(body: bytes, key: str, notification_url: str) -> Headers:
    """`x-square-hmacsha256-signature`, and the older header, which nobody should trust."""
    signed = notification_url.encode() + body
    return {
        "x-square-hmacsha256-signature": _base64(key.encode(), signed, hashlib.sha256),
        "x-square-signature": _base64(key.encode(), signed, hashlib.sha1),
        "square-environment": "Production",
    }


def adyen_item(item: Mapping[str, Any], key: str) -> str:
    """The `hmacSignature` of a notification item.

    Args:
        item: a NotificationRequestItem.
        key: in hex.
    """
    amount = item.get("amount") or {}
    fields = (
        item.get("pspReference"),
        item.get("originalReference"),
        item.get("merchantAccountCode"),
        item.get("merchantReference"),
        amount.get("value"),
        amount.get("currency"),
        item.get("eventCode"),
        item.get("success"),
    )
    signed = ":".join("" if value is None else str(value) for value in fields)
    return _base64(bytes.fromhex(key), signed.encode(), hashlib.sha256)


def adyen_header(body: bytes, key: str) -> Headers:
    """The header of Adyen's token and banking webhooks."""
    return {
        "hmacsignature": _base64(bytes.fromhex(key), body, hashlib.sha256),
        "protocol": "HmacSHA256",
    }


def paypal(body: bytes, transmission_id: str, sent_at: dt.datetime, webhook_id: str) -> Headers:
    """PayPal's five headers."""
    time = sent_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    signed = f"{transmission_id}|{time}|{webhook_id}|{zlib.crc32(body)}"
    return {
        "paypal-transmission-id": transmission_id,
        "paypal-transmission-time": time,
        "paypal-transmission-sig": base64.b64encode(certificates.sign(signed.encode())).decode(),
        "paypal-cert-url": certificates.CERTIFICATE_URL,
        "paypal-auth-algo": "SHA256withRSA",
    }


def _base64(key: bytes, signed: bytes, digest: Any) -> str:
    return base64.b64encode(hmac.new(key, signed, digest).digest()).decode()
