"""Every rule of the providers' signatures, as tables."""

import base64
import datetime as dt
import json

import pytest
from webhook_outcome import (
    ADYEN,
    ADYEN_HEADER,
    ADYEN_ITEMS,
    OTHER_KEY,
    PAYPAL,
    PAYPAL_BODY,
    REFUND,
    RIGHT,
    SECONDS,
    SQUARE,
    SQUARE_BODY,
    STRIPE,
    STRIPE_BODY,
    TOKEN_BODY,
    WRONG,
    outcome,
    secrets,
    with_secrets,
)
from webhook_signing import (
    CERT_URL,
    NOW,
    SQUARE_KEY,
    SQUARE_URL,
    STRIPE_SECRET,
    PayPalSigner,
    adyen_body,
    adyen_item,
    adyen_signature,
    square_headers,
    stripe_headers,
)

from clearhouse.payments.accounts import Account
from clearhouse.payments.event import Provider
from clearhouse.payments.signatures import (
    Certificates,
    CertificateUnavailable,
    verify,
)
from clearhouse.payments.webhook import RawWebhook


def signed(*pairs):
    return {"stripe-signature": ",".join(f"{name}={value}" for name, value in pairs)}


T = ("t", SECONDS)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (signed(T, ("v1", RIGHT)), "verified"),
        (signed(T, ("v1", WRONG), ("v1", RIGHT)), "verified"),
        (signed(T, ("v1", RIGHT), ("v1", WRONG)), "verified"),
        (signed(T, ("v0", WRONG), ("v1", RIGHT), ("v2", "x")), "verified"),
        (signed(("v1", RIGHT), T), "verified"),
        (signed(T, ("v1", WRONG)), "bad_signature"),
        (signed(T, ("v1", RIGHT[:-1])), "bad_signature"),
        (signed(T, ("v1", RIGHT.upper())), "bad_signature"),
        (signed(T, ("v0", RIGHT)), "no_signature"),
        (signed(T), "no_signature"),
        (signed(("t", SECONDS + 1), ("v1", RIGHT)), "bad_signature"),
        (signed(("v1", RIGHT)), "bad_header"),
        (signed(("t", "soon"), ("v1", RIGHT)), "bad_header"),
        (signed(("t", ""), ("v1", RIGHT)), "bad_header"),
        ({"stripe-signature": f"t={SECONDS},v1={RIGHT}é"}, "bad_header"),
        ({"stripe-signature": "t=١٢,v1=x"}, "bad_header"),
        ({"stripe-signature": ""}, "no_signature"),
        ({"stripe-signature": ",=,==,t"}, "bad_header"),
        ({}, "no_signature"),
    ],
)
def test_stripe_header(headers, expected):
    assert outcome(STRIPE, STRIPE_BODY, headers) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [(0, "verified"), (300, "verified"), (301, "too_old"), (-86_400, "verified")],
)
def test_stripe_refuses_what_is_old_and_lets_the_future_pass(age, expected):
    headers = stripe_headers(STRIPE_BODY, t=SECONDS - age)
    assert outcome(STRIPE, STRIPE_BODY, headers) == expected


@pytest.mark.parametrize(
    ("live", "by", "expected"),
    [
        (("new", "old"), "old", "verified"),
        (("new", "old"), "new", "verified"),
        (("new", "old"), "older", "bad_signature"),
        ((), "", "no_secret"),
        (("",), "", "no_secret"),
        (("", "new"), "", "bad_signature"),
    ],
)
def test_two_secrets_are_live_and_an_empty_one_signs_nothing(live, by, expected):
    account = with_secrets(STRIPE, *live)
    assert outcome(account, STRIPE_BODY, stripe_headers(STRIPE_BODY, by)) == expected
    account = with_secrets(SQUARE, *live)
    assert outcome(account, SQUARE_BODY, square_headers(SQUARE_BODY, by)) == expected


def test_an_empty_adyen_secret_signs_nothing():
    for account in (ADYEN, ADYEN_HEADER):
        for live in ((), ("",)):
            body = adyen_body(adyen_item(key=""))
            headers = {"hmacsignature": adyen_signature(body, "")}
            assert outcome(with_secrets(account, *live), body, headers) == "no_secret"


def test_the_name_of_a_key_stays_when_another_joins_it_and_does_not_hold_it():
    def key_id(*live):
        raw = RawWebhook(Provider.STRIPE, "", stripe_headers(STRIPE_BODY), STRIPE_BODY, NOW)
        return verify(raw, with_secrets(STRIPE, *live), NOW).key_id

    assert key_id(STRIPE_SECRET) == key_id("new", STRIPE_SECRET)
    assert STRIPE_SECRET not in key_id(STRIPE_SECRET)


def altered(headers, **changes):
    return {name: changes.get(name.replace("-", "_"), value) for name, value in headers.items()}


@pytest.mark.parametrize(
    ("account", "headers", "expected"),
    [
        (SQUARE, square_headers(SQUARE_BODY), "verified"),
        (SQUARE, square_headers(SQUARE_BODY, "another"), "bad_signature"),
        (SQUARE, square_headers(SQUARE_BODY, url=SQUARE_URL + "/"), "bad_signature"),
        (SQUARE, square_headers(SQUARE_BODY, url="http://127.0.0.1/webhooks"), "bad_signature"),
        (SQUARE, square_headers(SQUARE_BODY + b" "), "bad_signature"),
        (SQUARE, {"x-square-hmacsha256-signature": "é"}, "bad_header"),
        (SQUARE, {"x-square-signature": "the older one"}, "no_signature"),
        (
            Account(Provider.SQUARE, secrets=secrets(SQUARE_KEY)),
            square_headers(SQUARE_BODY, url=""),
            "no_notification_url",
        ),
    ],
)
def test_square(account, headers, expected):
    assert outcome(account, SQUARE_BODY, headers) == expected


@pytest.mark.parametrize("changes", ADYEN_ITEMS)
def test_adyen_items(changes):
    item = adyen_item(**changes)
    assert outcome(ADYEN, adyen_body(item), {}) == "verified"
    assert outcome(with_secrets(ADYEN, OTHER_KEY), adyen_body(item), {}) == "bad_signature"
    assert outcome(ADYEN, adyen_body(item, adyen_item(), live="true"), {}) == "verified"
    for at in range(2):
        items = [item, item]
        items[at] = item | {"merchantAccountCode": "Another"}
        assert outcome(ADYEN, adyen_body(*items), {}) == "bad_signature"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (adyen_item() | {"additionalData": {}}, "no_signature"),
        (adyen_item() | {"additionalData": {"hmacSignature": "é"}}, "no_signature"),
        (adyen_item() | {"additionalData": {"hmacSignature": 1}}, "not_signed"),
        (adyen_item() | {"amount": {"value": 11.3, "currency": "EUR"}}, "not_signed"),
        (adyen_item() | {"amount": {"value": "1130", "currency": "EUR"}}, "not_signed"),
        (adyen_item() | {"success": True}, "not_signed"),
        (adyen_item(amount={"value": 0, "currency": "EUR"}) | {"amount": None}, "bad_signature"),
        (adyen_item() | {"success": "false"}, "bad_signature"),
        (adyen_item(key=OTHER_KEY), "bad_signature"),
    ],
)
def test_adyen_item_that_is_not_as_it_was_signed(item, expected):
    for items in ([item], [adyen_item(), item]):
        body = adyen_body(*items)
        assert outcome(ADYEN, body, {}) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "not_signed"),
        (b"[]", "not_signed"),
        (b"{}", "not_signed"),
        (adyen_body(), "not_signed"),
        (b'{"notificationItems":[{}]}', "not_signed"),
        (b'{"notificationItems":"x"}', "not_signed"),
        (b"[" * 100_000, "not_signed"),
        (adyen_body(adyen_item(), live="yes"), "bad_live"),
        (adyen_body(adyen_item(), live=True), "bad_live"),
        (adyen_body(adyen_item(eventCode=None)), "no_event"),
    ],
)
def test_adyen_body_that_is_no_notification(body, expected):
    assert outcome(ADYEN, body, {}) == expected


def test_an_adyen_batch_is_taken_apart_into_notifications_of_the_items_own_bytes():
    items = [adyen_item(pspReference=f"REF{n}", **REFUND) for n in range(3)]
    body = adyen_body(*items, live="true").replace(b": ", b" :  ")
    raw = RawWebhook(Provider.ADYEN, "", {}, body, NOW)

    found = verify(raw, ADYEN, NOW)

    taken = [json.loads(item) for item in found.items]
    assert [each["notificationItems"][0]["NotificationRequestItem"] for each in taken] == items
    assert {each["live"] for each in taken} == {"true"}
    assert all(b'"eventCode" :  "REFUND"' in item for item in found.items)
    assert set(found.keys) == {"adyen:default:8313547924770610"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"hmacsignature": adyen_signature(TOKEN_BODY)}, "verified"),
        ({"hmacsignature": adyen_signature(TOKEN_BODY, OTHER_KEY)}, "bad_signature"),
        ({"hmacsignature": adyen_signature(TOKEN_BODY + b" ")}, "bad_signature"),
        ({"hmacsignature": "é"}, "bad_header"),
        ({}, "no_signature"),
    ],
)
def test_adyen_header(headers, expected):
    assert outcome(ADYEN_HEADER, TOKEN_BODY, headers) == expected


def test_an_adyen_key_is_hexadecimal_and_one_that_is_not_accepts_nothing():
    account = with_secrets(ADYEN, "zz of tests")
    assert outcome(account, adyen_body(adyen_item()), {}) == "bad_secret"


@pytest.fixture(scope="module")
def paypal():
    return PayPalSigner()


def serving(pem, roots):
    return Certificates(roots, lambda _host, _path: pem)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "verified"),
        ({"webhook_id": "another"}, "bad_signature"),
        ({"crc": 0}, "bad_signature"),
        ({"crc": -1337}, "bad_signature"),
        ({"url": CERT_URL.replace("https", "http")}, "bad_certificate_url"),
        ({"url": CERT_URL.replace("api.paypal.com", "api.sandbox.paypal.com")}, "verified"),
        ({"url": CERT_URL.replace("api.paypal", "api.Paypal")}, "verified"),
        *(
            ({"url": f"https://{host}/cert"}, "bad_certificate_url")
            for host in (
                "paypal.com", "evilpaypal.com", "api.paypal.com.evil.example", "evil.example",
                "api.paypal.com@evil.example", "evil.example#.paypal.com", "api.paypal.com:8443",
                "evil.example/.paypal.com", "evil.example?.paypal.com", "127.0.0.1",
                "evil.example\\.paypal.com", "api.paypal.com/../x", ".paypal.com",
            )
        ),
    ],
)  # fmt: skip
def test_paypal(paypal, changes, expected):
    headers = paypal.headers(PAYPAL_BODY, **changes)
    certificates = serving(paypal.pem, [paypal.root])
    assert outcome(PAYPAL, PAYPAL_BODY, headers, certificates) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("paypal_auth_algo", "SHA1withRSA", "bad_algorithm"),
        ("paypal_auth_algo", "", "no_signature"),
        ("paypal_transmission_id", "another", "bad_signature"),
        ("paypal_transmission_time", "2026-03-01T12:00:01Z", "bad_signature"),
        ("paypal_transmission_sig", "not base64!", "bad_header"),
        ("paypal_transmission_sig", base64.b64encode(b"x").decode(), "bad_signature"),
        ("paypal_transmission_sig", "é", "bad_header"),
        ("paypal_cert_url", "", "no_signature"),
    ],
)
def test_paypal_header(paypal, name, value, expected):
    headers = altered(paypal.headers(PAYPAL_BODY), **{name: value})
    certificates = serving(paypal.pem, [paypal.root])
    assert outcome(PAYPAL, PAYPAL_BODY, headers, certificates) == expected


def test_paypal_without_a_webhook_id_accepts_nothing(paypal):
    account = Account(Provider.PAYPAL, secrets=secrets("x"))
    headers = paypal.headers(PAYPAL_BODY, webhook_id="")
    certificates = serving(paypal.pem, [paypal.root])
    assert outcome(account, PAYPAL_BODY, headers, certificates) == "no_secret"


DAY = dt.timedelta(days=1)


def certificate_outcome(signer, pem=None, roots=None, now=NOW):
    certificates = serving(pem or signer.pem, [signer.root] if roots is None else roots)
    return outcome(PAYPAL, PAYPAL_BODY, signer.headers(PAYPAL_BODY), certificates, now)


def test_the_chain_the_name_and_the_time_of_paypals_certificate_are_checked(paypal):
    bad = "bad_certificate"
    leaf_alone = paypal.pem[: len(paypal.pem) // 2]
    assert certificate_outcome(paypal, pem=leaf_alone) == bad
    assert certificate_outcome(paypal, pem=b"no certificate") == bad
    assert certificate_outcome(paypal, roots=[paypal.leaf]) == "verified"  # trusted itself
    assert certificate_outcome(paypal, now=NOW + 31 * DAY) == bad
    assert certificate_outcome(paypal, now=NOW - 31 * DAY) == bad
    another = PayPalSigner()
    assert certificate_outcome(another, roots=[paypal.root]) == bad
    assert certificate_outcome(PayPalSigner("paypal.com.evil.example")) == bad
    assert certificate_outcome(PayPalSigner("*.paypal.com")) == bad
    assert certificate_outcome(PayPalSigner(until=NOW - DAY)) == bad


def test_a_certificate_is_fetched_once_and_not_used_after_it_has_expired(paypal):
    asked = []
    certificates = Certificates(
        [paypal.root], lambda host, path: asked.append((host, path)) or paypal.pem
    )
    headers = paypal.headers(PAYPAL_BODY)
    assert not certificates.knows(CERT_URL, NOW)
    for _ in range(3):
        assert outcome(PAYPAL, PAYPAL_BODY, headers, certificates) == "verified"
    assert certificates.knows(CERT_URL, NOW)
    later = NOW + 31 * DAY
    assert outcome(PAYPAL, PAYPAL_BODY, headers, certificates, later) == "certificate_expired"
    assert asked == [("api.paypal.com", "/v1/notifications/certs/CERT-360caa42-fca2a594")]


def test_a_certificate_that_can_not_be_had_refuses_nothing_for_good(paypal):
    answers = [CertificateUnavailable("certificate_unavailable", "It does not answer."), paypal.pem]

    def fetch(_host, _path):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    certificates = Certificates([paypal.root], fetch)
    headers = paypal.headers(PAYPAL_BODY)
    outcomes = [outcome(PAYPAL, PAYPAL_BODY, headers, certificates) for _ in range(2)]
    assert outcomes == ["certificate_unavailable", "verified"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"id":"evt_1","type":"x"}', "verified"),
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"id":"\xff","type":"x"}', "not_utf8"),
        (b"[]", "wrong_shape"),
        (b'"evt_1"', "wrong_shape"),
        (b'{"type":"x"}', "no_event"),
        (b'{"id":"evt_1","type":""}', "no_event"),
        (b'{"id":1,"type":"x"}', "no_event"),
        (b'{"id":"evt_1","type":"x","x":' + b"[" * 100_000, "too_deep"),
        (b'{"id":"evt_1","type":"x","data":[]}', "wrong_shape"),
    ],
)
def test_a_verified_body_that_is_no_notification_is_malformed(body, expected):
    assert outcome(STRIPE, body, stripe_headers(body)) == expected


@pytest.mark.parametrize(
    ("account", "body", "headers", "key"),
    [
        (STRIPE, {"object": "charge", "id": "ch_1", "payment_intent": "pi_1"}, None, "pi_1"),
        (STRIPE, {"object": "charge", "id": "ch_1", "payment_intent": None}, None, "ch_1"),
        (STRIPE, {"object": "payment_intent", "id": "pi_1"}, None, "pi_1"),
        (STRIPE, {"object": "refund", "id": "re_1", "charge": {"id": "ch_1"}}, None, "ch_1"),
        (STRIPE, {"object": "payout", "id": "po_1"}, None, "evt_1"),
    ],
)
def test_the_key_of_a_message_is_the_payment_where_it_names_one(account, body, headers, key):
    body = json.dumps({"id": "evt_1", "type": "x", "data": {"object": body}}).encode()
    raw = RawWebhook(account.provider, "", stripe_headers(body), body, NOW)
    assert verify(raw, account, NOW).keys == (f"stripe:default:{key}",)
