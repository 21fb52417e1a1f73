"""PayPal: a certificate's key signs `<transmission id>|<time>|<webhook id>|<CRC of the body>`."""

import base64
import binascii
import zlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from clearhouse.payments.signatures.checking import Checked, Delivery, header
from clearhouse.payments.signatures.refusals import SignatureRefused

_ALGORITHM = "SHA256withRSA"


def check(delivery: Delivery) -> Checked:
    """See `signatures.verify`."""
    raw, webhook_id = delivery.raw, delivery.account.webhook_id
    if not webhook_id or delivery.certificates is None:
        raise SignatureRefused("no_secret", "The account has no webhook id: nothing is accepted.")
    if header(raw, "paypal-auth-algo") != _ALGORITHM:
        raise SignatureRefused("bad_algorithm", f"It is not signed with {_ALGORITHM}.")
    signed = "|".join((
        header(raw, "paypal-transmission-id"),
        header(raw, "paypal-transmission-time"),
        webhook_id,
        str(zlib.crc32(raw.body)),  # unsigned
    ))  # fmt: skip
    signature = _decoded(header(raw, "paypal-transmission-sig"))
    signer = delivery.certificates.signer(header(raw, "paypal-cert-url"), delivery.now)
    try:
        signer.key.verify(signature, signed.encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        raise SignatureRefused(
            "bad_signature", "The key of PayPal's certificate has not signed it."
        ) from None
    return Checked(signer.key_id, (raw.body,))


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except binascii.Error:
        raise SignatureRefused("bad_header", "The signature is not in base64.") from None
