"""Signing webhooks as the providers do, for tests: written from their documents, beside our own."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import zlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
STRIPE_SECRET = "whsec_of_tests"
SQUARE_KEY = "square key of tests"
SQUARE_URL = "https://pay.example/webhooks/square"
ADYEN_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
WEBHOOK_ID = "1JE4291016473214C"
CERT_URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594"


def stripe_v1(body, secret=STRIPE_SECRET, t=None):
    signed = f"{int(NOW.timestamp()) if t is None else t}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def stripe_headers(body, secret=STRIPE_SECRET, t=None):
    t = int(NOW.timestamp()) if t is None else t
    return {"stripe-signature": f"t={t},v1={stripe_v1(body, secret, t)}"}


def square_headers(body, key=SQUARE_KEY, url=SQUARE_URL):
    digest = hmac.new(key.encode(), url.encode() + body, hashlib.sha256).digest()
    return {"x-square-hmacsha256-signature": base64.b64encode(digest).decode()}


def adyen_signature(signed, key=ADYEN_KEY):
    digest = hmac.new(bytes.fromhex(key), signed, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def adyen_item(key=ADYEN_KEY, **changes):
    """A signed item; a field that is None is left out."""
    item = {
        "pspReference": "7914073381342284",
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "TestPayment-1407325143704",
        "amount": {"value": 1130, "currency": "EUR"},
        "eventCode": "AUTHORISATION",
        "eventDate": "2026-03-01T13:00:00+01:00",
        "success": "true",
    } | changes
    item = {name: value for name, value in item.items() if value is not None}
    amount = item.get("amount", {})
    parts = [item.get(name, "") for name in ("pspReference", "originalReference")]
    parts += [item.get(name, "") for name in ("merchantAccountCode", "merchantReference")]
    parts += [amount.get("value", ""), amount.get("currency", "")]
    parts += [item.get(name, "") for name in ("eventCode", "success")]
    signature = adyen_signature(":".join(map(str, parts)).encode(), key)
    return item | {"additionalData": {"hmacSignature": signature, "cardSummary": "1111"}}


def adyen_body(*items, live="false"):
    listed = [{"NotificationRequestItem": item} for item in items]
    return json.dumps({"live": live, "notificationItems": listed}).encode()


class PayPalSigner:
    """A certificate chain of our own, and what it signs."""

    def __init__(self, name="messageverificationcerts.paypal.com", **validity):
        self.root_key, self.root = _authority("Root of tests")
        self.middle_key, self.middle = _authority("Authority of tests", (self.root, self.root_key))
        self.key = rsa.generate_private_key(65537, 2048)
        self.leaf = _leaf(name, self.key, self.middle, self.middle_key, **validity)

    @property
    def pem(self):
        return _pem(self.leaf) + _pem(self.middle)

    def headers(self, body, webhook_id=WEBHOOK_ID, url=CERT_URL, crc=None):
        crc = zlib.crc32(body) if crc is None else crc
        signed = f"transmission-1|2026-03-01T12:00:00Z|{webhook_id}|{crc}".encode()
        signature = self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return {
            "paypal-transmission-id": "transmission-1",
            "paypal-transmission-time": "2026-03-01T12:00:00Z",
            "paypal-transmission-sig": base64.b64encode(signature).decode(),
            "paypal-cert-url": url,
            "paypal-auth-algo": "SHA256withRSA",
        }


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject, issuer, key, since=None, until=None):
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since or NOW - dt.timedelta(days=30))
        .not_valid_after(until or NOW + dt.timedelta(days=30))
    )


def _usage(*, signs_certificates):
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(name, above=None):
    key = rsa.generate_private_key(65537, 2048)
    issuer = above[0].subject if above else _named(name)
    issuer_key = above[1] if above else key
    builder = (
        _builder(_named(name), issuer, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(_of_issuer(issuer_key), False)
    )
    return key, builder.sign(issuer_key, hashes.SHA256())


def _of_issuer(key):
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _leaf(name, key, issuer, issuer_key, **validity):
    return (
        _builder(_named(name), issuer.subject, key, **validity)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(_of_issuer(issuer_key), False)
        .sign(issuer_key, hashes.SHA256())
    )
