"""PayPal's certificates in the sandbox: a root of its own, and the one that signs messages.

The keys are well known, so that every process makes the same certificates. They protect nothing.
"""

import datetime as dt
from functools import cache
from importlib import resources

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "messageverificationcerts.paypal.com"
"""The name of the certificate that signs messages."""

CERTIFICATE_ID = "CERT-360caa42-5f29e0a1-1d93a270"
PATH = "/v1/notifications/certs"
CERTIFICATE_URL = f"https://api.paypal.com{PATH}/{CERTIFICATE_ID}"
"""As each delivery names it; the sandbox serves its path."""

_FROM = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
_UNTIL = dt.datetime(2044, 1, 1, tzinfo=dt.UTC)


@cache
def root() -> bytes:
    """The root that a gateway has to trust, as PEM: what PAYPAL_CA_FILE holds."""
    return _root().public_bytes(serialization.Encoding.PEM)


@cache
def chain() -> bytes:
    """What is served at the certificate's URL: the certificate and its root, as PEM."""
    return issue(HOST, _FROM, _UNTIL).public_bytes(serialization.Encoding.PEM) + root()


def issue(host: str, valid_from: dt.datetime, valid_until: dt.datetime) -> x509.Certificate:
    """A certificate of the root for the key that signs messages."""
    root_key, key = _key("root"), _key("leaf").public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(_name(host))
        .issuer_name(_root().subject)
        .public_key(key)
        .serial_number(2)
        .not_valid_before(valid_from)
        .not_valid_after(valid_until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
        .sign(root_key, hashes.SHA256())
    )


def sign(signed: bytes) -> bytes:
    """The signature of a message: RSA with SHA-256, PKCS#1 v1.5."""
    return _key("leaf").sign(signed, padding.PKCS1v15(), hashes.SHA256())


@cache
def _root() -> x509.Certificate:
    key = _key("root")
    name = _name("Clearhouse Sandbox Root")
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(1)
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


@cache
def _key(name: str) -> rsa.RSAPrivateKey:
    pem = resources.files(__package__).joinpath(f"keys/{name}.pem").read_bytes()
    key = serialization.load_pem_private_key(pem, password=None)
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101
    return key


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Clearhouse Sandbox"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
