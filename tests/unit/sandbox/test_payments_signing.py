"""What the sandbox's providers sign, judged by the providers' own libraries and by X.509."""

import base64
import datetime as dt
import json
import time
import zlib
from pathlib import Path

import paypal_library
import pytest
import stripe
from Adyen.util import is_valid_hmac_notification, is_valid_hmac_payload
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.verification import PolicyBuilder, Store
from square.utils.webhooks_helper import verify_signature

from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments import accounts, certificates, signing

BODY = '{"id":"evt_1","note":"Zoë"}'.encode()


@pytest.mark.parametrize("live", [accounts.STRIPE_CONNECT_OLD, accounts.STRIPE_CONNECT_NEW])
def test_stripes_library_accepts_either_secret_of_a_rotation(live: str) -> None:
    both = [accounts.STRIPE_CONNECT_OLD, accounts.STRIPE_CONNECT_NEW]
    header = signing.stripe(BODY, both, int(time.time()))["stripe-signature"]

    assert header.count("v1=") == 2
    assert stripe.WebhookSignature.verify_header(BODY.decode(), header, live, 300)


def test_squares_library_accepts_the_registered_url() -> None:
    header = signing.square(BODY, accounts.SQUARE_NEW, accounts.NOTIFICATION_URL)

    assert verify_signature(
        request_body=BODY.decode(),
        signature_header=header["x-square-hmacsha256-signature"],
        signature_key=accounts.SQUARE_NEW,
        notification_url=accounts.NOTIFICATION_URL,
    )


@pytest.mark.parametrize("original", [{}, {"originalReference": "PSP:2"}])
def test_adyens_library_accepts_an_item(original: dict[str, str]) -> None:
    item = {
        "pspReference": "8535516988009562",
        **original,
        "merchantAccountCode": "SandboxEU",
        "merchantReference": "order:1\\2",
        "amount": {"value": 0, "currency": "EUR"},
        "eventCode": "AUTHORISATION",
        "success": "true",
    }
    signature = signing.adyen_item(item, accounts.ADYEN_OLD)
    signed = {**item, "additionalData": {"hmacSignature": signature}}
    batch = {"live": "true", "notificationItems": [{"NotificationRequestItem": signed}]}

    assert is_valid_hmac_notification(batch, accounts.ADYEN_OLD)
    assert not is_valid_hmac_notification(batch, accounts.ADYEN_NEW)


def test_adyens_library_accepts_the_header() -> None:
    header = signing.adyen_header(BODY, accounts.ADYEN_HEADER)["hmacsignature"]

    assert is_valid_hmac_payload(header, accounts.ADYEN_HEADER, BODY)


def test_paypals_library_accepts_the_webhook_id_that_signed(tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(certificates.root())
    headers = signing.paypal(BODY, "tx-1", dt.datetime.now(dt.UTC), accounts.PAYPAL_WEBHOOK_ID)
    verdicts = [
        paypal_library.accepts(BODY, headers, webhook_id, certificates.chain(), root)
        for webhook_id in (accounts.PAYPAL_WEBHOOK_ID, "another")
    ]

    assert verdicts == [True, False]


def test_paypals_certificate_is_of_its_root_and_signs_what_is_documented() -> None:
    leaf, root = x509.load_pem_x509_certificates(certificates.chain())
    policy = PolicyBuilder().store(Store([x509.load_pem_x509_certificate(certificates.root())]))
    verifier = policy.time(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)).build_server_verifier(
        x509.DNSName(certificates.HOST)
    )
    verifier.verify(leaf, [])
    sent_at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    headers = signing.paypal(BODY, "tx-1", sent_at, accounts.PAYPAL_WEBHOOK_ID)

    signed = f"tx-1|2026-01-01T00:00:00Z|{accounts.PAYPAL_WEBHOOK_ID}|{zlib.crc32(BODY)}"
    leaf.public_key().verify(  # raises for another message
        base64.b64decode(headers["paypal-transmission-sig"]),
        signed.encode(),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )
    assert root.subject == leaf.issuer


def test_every_provider_has_an_account_with_what_verifies_it() -> None:
    found = accounts.sandbox_accounts()

    assert {account.provider for account in found} == set(Provider)
    assert all(account.secrets or account.webhook_id for account in found)
    assert json.dumps([repr(account) for account in found]).count("whsec") == 0
