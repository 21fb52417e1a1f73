"""The providers' own libraries, asked the same as the gateway's verification."""

import base64
import datetime as dt
import zlib

import paypal_library
import pytest
from Adyen.util import is_valid_hmac_notification, is_valid_hmac_payload
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from square.utils.webhooks_helper import verify_signature
from stripe import SignatureVerificationError, WebhookSignature
from webhook_outcome import (
    ADYEN,
    ADYEN_HEADER,
    ADYEN_ITEMS,
    OTHER_KEY,
    PAYPAL,
    PAYPAL_BODY,
    RIGHT,
    SECONDS,
    SQUARE,
    SQUARE_BODY,
    STRIPE,
    STRIPE_BODY,
    TOKEN_BODY,
    WRONG,
    outcome,
    with_secrets,
)
from webhook_signing import (
    ADYEN_KEY,
    NOW,
    SQUARE_KEY,
    SQUARE_URL,
    STRIPE_SECRET,
    WEBHOOK_ID,
    PayPalSigner,
    adyen_body,
    adyen_item,
    adyen_signature,
    square_headers,
)

from clearhouse.payments.signatures import Certificates
from clearhouse.sandbox.payments import certificates, signing

WITH_AMOUNTS = [each for each in ADYEN_ITEMS if each.get("amount", 1)]


def accepts(call):
    try:
        return call() is not False
    except (SignatureVerificationError, ValueError, TypeError):
        return False


@pytest.mark.parametrize("secret", [STRIPE_SECRET, "another"])
@pytest.mark.parametrize(
    "signature",
    [
        f"t={SECONDS},v1={RIGHT}",
        f"t={SECONDS},v1={WRONG},v1={RIGHT}",
        f"t={SECONDS},v0={RIGHT}",
        f"t={SECONDS}, v1={RIGHT}",
        f"t={SECONDS},v1={RIGHT},",
        f"t={SECONDS},v1={RIGHT},t=1",
        f"v1={RIGHT}",
        "",
        "t=x,v1=y",
    ],
)
def test_stripes_library_agrees(secret, signature):
    ours = outcome(with_secrets(STRIPE, secret), STRIPE_BODY, {"stripe-signature": signature})
    theirs = accepts(lambda: WebhookSignature.verify_header(STRIPE_BODY, signature, secret, None))
    assert (ours == "verified") == theirs


@pytest.mark.parametrize("key", [SQUARE_KEY, "another"])
@pytest.mark.parametrize("url", [SQUARE_URL, SQUARE_URL + "/"])
def test_squares_library_agrees(key, url):
    headers = square_headers(SQUARE_BODY, key, url)
    theirs = verify_signature(
        request_body=SQUARE_BODY.decode(),
        signature_header=headers["x-square-hmacsha256-signature"],
        signature_key=SQUARE_KEY,
        notification_url=SQUARE_URL,
    )
    assert (outcome(SQUARE, SQUARE_BODY, headers) == "verified") == theirs


@pytest.mark.parametrize("key", [ADYEN_KEY, OTHER_KEY])
@pytest.mark.parametrize("changes", WITH_AMOUNTS)
def test_adyens_library_agrees(key, changes):
    item = adyen_item(key, **changes)
    ours = outcome(ADYEN, adyen_body(item), {})
    assert (ours == "verified") == is_valid_hmac_notification(item, ADYEN_KEY)
    signature = adyen_signature(TOKEN_BODY, key)
    ours = outcome(ADYEN_HEADER, TOKEN_BODY, {"hmacsignature": signature})
    assert (ours == "verified") == is_valid_hmac_payload(signature, ADYEN_KEY, TOKEN_BODY)


PAYPAL_BODIES = [
    PAYPAL_BODY,
    '{"id":"WH-2","event_type":"x","resource":{"id":"C2","note":"Zoë €"}}'.encode(),
    b'{"id":"WH-6", "event_type":"x", "resource":{"id":"C4"}}\n',
]


@pytest.fixture(scope="module")
def root_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("paypal") / "root.pem"
    file.write_bytes(certificates.root())
    return file


def paypal_signed(body):
    return signing.paypal(body, "transmission-1", NOW, WEBHOOK_ID)


def asked_of_both(root_file, body, headers, served=None, root=None):
    """What ours says, and whether PayPal's library verifies it."""
    served = served or certificates.chain()
    roots = x509.load_pem_x509_certificates((root or root_file).read_bytes())
    ours = outcome(PAYPAL, body, headers, Certificates(roots, lambda _host, _path: served))
    return ours, paypal_library.accepts(body, headers, WEBHOOK_ID, served, root or root_file)


def test_paypals_library_agrees_on_bodies_whose_crc_has_the_highest_bit_or_has_not(root_file):
    assert {zlib.crc32(body) >> 31 for body in PAYPAL_BODIES} == {0, 1}
    for signed in PAYPAL_BODIES:
        for sent in PAYPAL_BODIES:
            expected = ("verified", True) if sent == signed else ("bad_signature", False)
            assert asked_of_both(root_file, sent, paypal_signed(signed)) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"paypal-transmission-id": "another"}, "bad_signature"),
        ({"paypal-transmission-time": "2026-03-01T12:00:01Z"}, "bad_signature"),
        ({"paypal-transmission-sig": base64.b64encode(b"x" * 256).decode()}, "bad_signature"),
        (signing.paypal(PAYPAL_BODY, "transmission-1", NOW, "another"), "bad_signature"),
        ({"paypal-auth-algo": "SHA1withRSA"}, "bad_algorithm"),
        ({"paypal-auth-algo": "MD5withRSA"}, "bad_algorithm"),
    ],
)
def test_paypals_library_agrees_on_headers(root_file, changed, expected):
    headers = paypal_signed(PAYPAL_BODY) | changed
    assert asked_of_both(root_file, PAYPAL_BODY, headers) == (expected, False)


def year(number):
    return dt.datetime(number, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("name", "since", "until", "expected"),
    [
        (certificates.HOST, 2024, 2044, "verified"),
        (certificates.HOST, 2024, 2025, "bad_certificate"),
        (certificates.HOST, 2043, 2044, "bad_certificate"),
        ("paypal.com.evil.example", 2024, 2044, "bad_certificate"),
        ("evilpaypal.com", 2024, 2044, "bad_certificate"),
    ],
)
def test_paypals_library_agrees_on_certificates(root_file, name, since, until, expected):
    served = certificates.issue(name, year(since), year(until)).public_bytes(Encoding.PEM)
    found = asked_of_both(root_file, PAYPAL_BODY, paypal_signed(PAYPAL_BODY), served)
    assert found == (expected, expected == "verified")


def test_paypals_library_agrees_that_another_authority_is_none(root_file, tmp_path):
    another = tmp_path / "another.pem"
    another.write_bytes(PayPalSigner().root.public_bytes(Encoding.PEM))
    headers = paypal_signed(PAYPAL_BODY)
    found = asked_of_both(root_file, PAYPAL_BODY, headers, root=another)
    assert found == ("bad_certificate", False)
