"""PayPal's own library as a judge, offline: `paypalrestsdk`, the last one that verifies webhooks.

It calls `OpenSSL.crypto.verify`. pyOpenSSL has that no longer, so with a current one the library
refuses everything. This one function is supplied here as it was documented. The text that is
signed and the checks of the certificate (chain, name, time) are the library's. It asks any URL for
the certificate: whose URL may be asked is not its judgement.
"""

from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from OpenSSL import crypto
from paypalrestsdk import WebhookEvent, notifications

_DIGESTS = {"sha256WithRSAEncryption": SHA256(), "sha1WithRSAEncryption": SHA1()}


def accepts(body: bytes, headers: dict[str, str], webhook_id: str, served: bytes, root: Path):
    """Whether the library verifies a webhook.

    Args:
        served: what is at the certificate's URL.
        root: a file of the one authority that is trusted, in PEM.
    """
    fetched = SimpleNamespace(text=served.decode())
    with (
        patch.object(crypto, "verify", _verify, create=True),
        patch.object(notifications.requests, "get", lambda _url: fetched),
        patch.object(WebhookEvent, "_WebhookEvent__cert_chain_path", [str(root)]),
    ):
        return WebhookEvent.verify(
            headers["paypal-transmission-id"],
            headers["paypal-transmission-time"],
            webhook_id,
            body.decode(),
            headers["paypal-cert-url"],
            headers["paypal-transmission-sig"],
            headers["paypal-auth-algo"],
        )


def _verify(certificate, signature, data, digest):
    """Raises where the certificate's key has not signed the data."""
    key = certificate.to_cryptography().public_key()
    key.verify(signature, data, PKCS1v15(), _DIGESTS[digest])
