"""The sandbox's payments: the same by seed, signed as the providers say, and true in small."""

import datetime as dt
import json
import time
from collections import Counter
from collections.abc import Iterator
from itertools import repeat

import pytest
import stripe
from Adyen.util import is_valid_hmac_notification, is_valid_hmac_payload
from square.utils.webhooks_helper import verify_signature

from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments import accounts, adyen_payouts, square_payouts, stripe_payouts
from clearhouse.sandbox.payments.adyen import AdyenPayment
from clearhouse.sandbox.payments.delivery import Signed
from clearhouse.sandbox.payments.draws import Draws, Ids
from clearhouse.sandbox.payments.money import UNITS, unit
from clearhouse.sandbox.payments.output import Fate, Output
from clearhouse.sandbox.payments.payment import Payment, Start
from clearhouse.sandbox.payments.paypal import PayPalPayment
from clearhouse.sandbox.payments.square import SquarePayment
from clearhouse.sandbox.payments.stripe import StripePayment
from clearhouse.sandbox.payments.world import World

TODAY = dt.date(2026, 11, 1)


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, 2_000, today=TODAY)


def test_a_world_is_a_function_of_its_seed(world: World) -> None:
    again, other = World(7, 2_000, today=TODAY), World(8, 2_000, today=TODAY)

    assert [d.body for d in again.deliveries] == [d.body for d in world.deliveries]
    assert again.truth == world.truth
    assert other.truth != world.truth


def test_what_is_never_sent_changes_nothing_of_what_is(world: World) -> None:
    with_missed = World(7, 2_000, today=TODAY, missed=5)
    lacking = [d for d in world.deliveries if not with_missed.missed.intersection(d.notices)]

    assert len(with_missed.missed) == 5
    assert [(d.body, d.secrets) for d in with_missed.deliveries if not d.is_forged] == [
        (d.body, d.secrets) for d in lacking if not d.is_forged
    ]


def test_a_payment_lives_the_same_in_a_larger_world(world: World) -> None:
    larger = {row["payment_key"]: row for row in World(7, 3_000, today=TODAY).truth["payment"]}

    assert all(larger[row["payment_key"]] == row for row in world.truth["payment"])


def test_the_providers_libraries_accept_every_delivery_but_forged_ones(world: World) -> None:
    accepted = {d.number for d in world.deliveries if _is_genuine(d)}
    judged = {d.number for d in world.deliveries if d.signed is not Signed.PAYPAL}

    assert judged - accepted == {d.number for d in world.deliveries if d.is_forged}


def _is_genuine(delivery) -> bool:  # type: ignore[no-untyped-def]
    headers, body = delivery.headers(time.time()), delivery.body
    if delivery.signed is Signed.STRIPE:
        live = (
            (accounts.STRIPE_CONNECT_OLD, accounts.STRIPE_CONNECT_NEW)
            if delivery.endpoint == accounts.CONNECT
            else (accounts.STRIPE_SNAPSHOTS, accounts.STRIPE_THIN)
        )
        return any(_stripe_accepts(body, headers["stripe-signature"], secret) for secret in live)
    if delivery.signed is Signed.SQUARE:
        signature = headers["x-square-hmacsha256-signature"]
        return any(
            verify_signature(
                request_body=body.decode(),
                signature_header=signature,
                signature_key=key,
                notification_url=accounts.NOTIFICATION_URL,
            )
            for key in (accounts.SQUARE_OLD, accounts.SQUARE_NEW)
        )
    if delivery.signed is Signed.ADYEN_HEADER:
        return is_valid_hmac_payload(headers["hmacsignature"], accounts.ADYEN_HEADER, body)
    if delivery.signed is Signed.ADYEN_ITEMS:
        found = json.loads(body)
        return all(
            any(
                is_valid_hmac_notification({**found, "notificationItems": [item]}, key)
                for key in (accounts.ADYEN_OLD, accounts.ADYEN_NEW)
            )
            for item in found["notificationItems"]
        )
    return False


def _stripe_accepts(body: bytes, header: str, secret: str) -> bool:
    try:
        return stripe.WebhookSignature.verify_header(body.decode(), header, secret, 300)
    except stripe.SignatureVerificationError:
        return False


TRAPS = {
    "thin beside snapshot": b'"snapshot_event":"evt_',
    "thin alone": b'"object":"v2.core.event"',
    "several api_versions": b'"api_version":"2020-08-27"',
    "a test-mode event": b'"livemode":false',
    "a connected account": b'"account":"acct_',
    "released rest of a partial capture": b'"amount_refunded"',
    "a refund that failed after it succeeded": b'"type":"refund.failed"',
    "an inquiry": b'"status":"warning_closed"',
    "a payout that is taken back": b'"original_payout":"po_',
    "a reserved-for-later event type": b"moon",
    "a capture that failed": b'"eventCode":"CAPTURE_FAILED"',
    "a capture that is made again": b"ecaptured",
    "a second chargeback": b'"eventCode":"SECOND_CHARGEBACK"',
    "a token": b'"recurring.token.created"',
    "a report": b'"REPORT_AVAILABLE"',
    "a card check": b'"value":0}',
    "a tip": b'"tip_money"',
    "a fee that comes later": b'"processing_fee"',
    "a reversal": b'"PAYMENT.CAPTURE.REVERSED"',
    "yen at PayPal": b'"currency_code":"JPY"',
    "a card number in a text": b"4242424242424242",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_every_trap_is_in_a_month(month: bytes, trap: str) -> None:
    assert TRAPS[trap] in month


@pytest.fixture(scope="module")
def month() -> bytes:
    return b"\n".join(d.body for d in World(42, 20_000, today=TODAY).deliveries)


@pytest.mark.parametrize(
    ("provider", "code", "minor", "written"),
    [
        (Provider.STRIPE, "UGX", 5, "500"),
        (Provider.STRIPE, "ISK", 5, "500"),
        (Provider.STRIPE, "JPY", 500, "500"),
        (Provider.STRIPE, "MGA", 50_000, "500"),
        (Provider.STRIPE, "KWD", 5_120, "5120"),
        (Provider.ADYEN, "CLP", 1_000, "100000"),
        (Provider.ADYEN, "IDR", 1_000_000, "10000"),
        (Provider.ADYEN, "CVE", 10_000, "100"),
        (Provider.ADYEN, "ISK", 10, "1000"),
    ],
)
def test_amounts_are_written_as_the_providers_document_them(
    provider: Provider, code: str, minor: int, written: str
) -> None:
    assert str(unit(provider, code).number(minor)) == written


def test_paypal_writes_decimal_numbers() -> None:
    assert unit(Provider.PAYPAL, "USD").text(5) == "0.05"
    assert unit(Provider.PAYPAL, "HUF").text(120_000) == "1200"
    assert unit(Provider.PAYPAL, "JPY").text(500) == "500"


def _halves() -> Iterator[float]:
    while True:
        yield 0.5


def _payment(kind: type[Payment], **more: str) -> Payment:
    output = Output(horizon=1_800_000_000)
    units = UNITS[kind.provider]["USD"]
    start = Start(output, Draws(_halves()), Ids(1, "life"), units, 1_790_000_000, **more)
    return kind(start)


def test_a_refund_that_came_back_is_undone() -> None:
    payment = _payment(StripePayment)
    payment.authorize(1_000)
    capture = payment.capture(600, at_once=False)
    refund = payment.refund(capture, 200, pends=False)
    kept = payment.refund(capture, 100, pends=False)
    payment.undo(refund, "lost_or_stolen_card")

    row = payment.row()
    assert (row["status"], row["authorized_minor"], row["captured_minor"]) == (
        "partially_refunded",
        1_000,
        600,
    )
    assert row["refunded_minor"] == kept.amount
    assert [each["status"] for each in payment.refund_rows()] == ["undone", "succeeded"]


def test_a_refund_that_is_refused_has_a_reference_of_its_own() -> None:
    payment = _payment(AdyenPayment)
    payment.authorize(1_000)
    capture = payment.capture(600, at_once=False)
    payment.draws = Draws(repeat(0.0))
    for amount in (200, 100):
        payment.refund(capture, amount, pends=True)

    refused = [each["amount_minor"] for each in payment.refund_rows() if each["status"] == "failed"]
    assert refused == [200, 100]


def test_no_more_is_refunded_than_was_captured() -> None:
    truth = World(1, 1_500, today=dt.date(2026, 3, 9)).truth
    refunded: Counter[str] = Counter()
    for refund in truth["refund"]:
        if refund["status"] == "succeeded":
            refunded[refund["payment_key"]] += refund["amount_minor"]

    # Stripe tells of a refund too where an authorization is canceled.
    assert [
        payment["payment_key"]
        for payment in truth["payment"]
        if payment["status"] != "canceled"
        and refunded[payment["payment_key"]] > payment["captured_minor"]
    ] == []


def test_attempts_that_failed_do_not_hide_the_one_that_succeeded() -> None:
    payment = _payment(StripePayment)
    payment.fail(500, "insufficient_funds")
    first = payment.charge_id
    assert payment.again() is payment
    payment.capture(500, at_once=True)

    row = payment.row()
    assert (row["status"], row["failures"], row["failure_code"]) == (
        "captured",
        1,
        "insufficient_funds",
    )
    assert first not in payment.captures


def test_a_dispute_that_is_lost_keeps_its_money() -> None:
    payment = _payment(PayPalPayment)
    payment.authorize(2_000)
    payment.capture(2_000, at_once=False)
    dispute = payment.open_dispute(1_500, is_inquiry=False)
    payment.withdraw(dispute)
    payment.close(dispute, "lost")

    assert payment.row()["disputed_minor"] == 1_500
    assert sorted(row["status"] for row in payment.dispute_rows()) == ["lost", "open"]


def test_a_second_instance_takes_the_money_again() -> None:
    payment = _payment(AdyenPayment, account="SandboxEU")
    payment.capture(900, at_once=True)
    dispute = payment.open_dispute(900, is_inquiry=False)
    payment.withdraw(dispute)
    payment.reinstate(dispute)
    payment.withdraw(dispute)
    payment.close(dispute, "lost")

    assert payment.row()["disputed_minor"] == 900
    (row,) = payment.dispute_rows()
    assert (row["withdrawn_minor"], row["reinstated_minor"], row["status"]) == (1_800, 900, "lost")


def test_what_square_takes_for_a_dispute_only_its_payout_tells() -> None:
    payment = _payment(SquarePayment, account="ML")
    payment.capture(700, at_once=True)
    dispute = payment.open_dispute(700, is_inquiry=False)
    payment.withdraw(dispute)

    assert payment.row()["disputed_minor"] == 0
    assert [move.amount for move in payment.output.moves if move.kind == "dispute"] == [-700]


def test_every_payout_is_the_sum_of_its_entries_and_one_has_an_unexplained_one(
    world: World,
) -> None:
    itemized = [payout for payout in world.output.payouts if payout.moves]
    for payout in itemized:
        units = UNITS[payout.provider][payout.currency]
        if payout.provider is Provider.STRIPE:
            assert sum(each["net"] for each in stripe_payouts.entries(payout)) == 0
        elif payout.provider is Provider.SQUARE:
            entries = square_payouts.entries(payout)
            total = sum(each["net_amount_money"]["amount"] for each in entries)
            assert total == units.number(payout.amount)
        else:
            *_, last = adyen_payouts.report(payout, "report_1.csv").splitlines()
            assert f",{payout.id}," in last
            assert units.text(payout.amount) in last
    assert {payout.provider for payout in itemized} == {
        Provider.STRIPE,
        Provider.SQUARE,
        Provider.ADYEN,
    }
    assert list(world.unexplained.values()) == [-1_234]


def test_what_is_malformed_is_labelled(world: World) -> None:
    dead = [n for n in world.notices if n.fate in (Fate.DEAD_NORMALIZER, Fate.DEAD_GATEWAY)]

    assert dead
    assert all(notice.label for notice in dead)
