"""Amounts against pairs that the providers publish, never against our own inverse."""

import pytest

from clearhouse.payments.event import Provider
from clearhouse.payments.exponents import minor_of_text, minor_units, rule_of
from clearhouse.payments.problem import Problem

STRIPE, ADYEN, SQUARE, PAYPAL = (
    Provider.STRIPE,
    Provider.ADYEN,
    Provider.SQUARE,
    Provider.PAYPAL,
)


@pytest.mark.parametrize(
    ("provider", "currency", "written", "minor"),
    [
        (STRIPE, "USD", 1000, 1000),  # 10 USD
        (STRIPE, "JPY", 500, 500),  # 500 JPY
        (STRIPE, "CLP", 500, 500),  # zero-decimal at Stripe as in ISO 4217
        (STRIPE, "MGA", 5, 500),  # zero-decimal at Stripe; ISO 4217 has hundredths
        (STRIPE, "ISK", 500, 5),  # 5 ISK is sent as 500
        (STRIPE, "UGX", 500, 5),  # 5 UGX is sent as 500
        (STRIPE, "KWD", 5120, 5120),  # 5.124 KWD is sent as 5120
        (STRIPE, "HUF", 1045, 1045),  # a charge of 10.45 HUF
        (ADYEN, "GBP", 1000, 1000),  # 10 GBP
        (ADYEN, "JPY", 10, 10),  # 10 JPY
        (ADYEN, "CLP", 1000, 10),  # two decimals at Adyen, none in ISO 4217
        (ADYEN, "ISK", 1000, 10),
        (ADYEN, "CVE", 10, 1000),  # none at Adyen, two in ISO 4217
        (ADYEN, "IDR", 10, 1000),
        (ADYEN, "KWD", 10000, 10000),  # 10 KWD
        (ADYEN, "UGX", 10, 10),
        (ADYEN, "MGA", 1000, 1000),
        (SQUARE, "USD", 100, 100),  # 1 USD
        (SQUARE, "JPY", 100, 100),  # 100 JPY
        (STRIPE, "USD", 0, 0),  # a check of a card
    ],
)
def test_an_integer_is_what_the_provider_documents(provider, currency, written, minor):
    assert minor_units(provider, currency, written) == minor


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("USD", "45.90", 4590),
        ("USD", "45.9", 4590),
        ("USD", "45", 4500),
        ("USD", "0.00", 0),
        ("USD", "0.07", 7),  # 7.000000000000001 hundredths as a float
        ("JPY", "1500", 1500),
        ("HUF", "1500", 150000),
        ("TWD", "1500", 150000),
    ],
)
def test_a_text_is_read_digit_by_digit(currency, text, minor):
    assert minor_of_text(PAYPAL, currency, text) == minor


def _code(found):
    assert isinstance(found, Problem), found
    return found.code


@pytest.mark.parametrize(
    ("provider", "currency", "written", "code"),
    [
        (STRIPE, "ISK", 550, "amount_not_exact"),  # no part of a krona
        (STRIPE, "UGX", 5, "amount_not_exact"),
        (STRIPE, "KWD", 5124, "amount_not_exact"),  # the last digit is 0
        (ADYEN, "CLP", 1050, "amount_not_exact"),
        (STRIPE, "USD", -1, "amount_negative"),
        (STRIPE, "USD", 10**9 + 1, "amount_out_of_bounds"),
        (STRIPE, "USD", 10**30, "amount_out_of_bounds"),
        (STRIPE, "XXX", 1, "currency_unknown"),
        (STRIPE, "usd", 1, "currency_unknown"),
        (SQUARE, "BTC", 1, "currency_unknown"),
        (SQUARE, "XUS", 1, "currency_unknown"),
        (SQUARE, "CHF", 1, "currency_unknown"),
    ],
)
def test_what_is_not_exactly_an_amount_is_refused(provider, currency, written, code):
    assert _code(minor_units(provider, currency, written)) == code


@pytest.mark.parametrize(
    ("currency", "text", "code"),
    [
        ("USD", "1.234", "amount_not_exact"),
        ("JPY", "1500.00", "amount_not_exact"),
        ("HUF", "1500.5", "amount_not_exact"),
        ("TWD", "1.0", "amount_not_exact"),
        ("USD", "1e2", "amount_malformed"),
        ("USD", "+1", "amount_malformed"),
        ("USD", " 1", "amount_malformed"),
        ("USD", "1.", "amount_malformed"),
        ("USD", "٣", "amount_malformed"),
        ("USD", "NaN", "amount_malformed"),
        ("USD", "1" * 33, "amount_malformed"),
        ("USD", "-1.00", "amount_negative"),
        ("USD", "10000000.01", "amount_out_of_bounds"),
    ],
)
def test_what_is_not_exactly_an_amounts_text_is_refused(currency, text, code):
    assert _code(minor_of_text(PAYPAL, currency, text)) == code


def test_payouts_have_rules_of_their_own():
    assert minor_units(STRIPE, "TWD", 80000, is_payout=True) == 80000  # 800 TWD
    assert _code(minor_units(STRIPE, "TWD", 80045, is_payout=True)) == "amount_not_exact"
    assert minor_units(STRIPE, "TWD", 80045) == 80045
    assert minor_units(SQUARE, "USD", -500, is_payout=True) == -500
    assert minor_units(ADYEN, "CLP", -1000, is_payout=True) == -10


def test_the_bound_is_about_the_same_money_in_every_currency():
    assert rule_of(STRIPE, "USD").max_minor == 10_000_000_00
    assert rule_of(STRIPE, "JPY").max_minor == 1_000_000_000
    assert minor_units(ADYEN, "IDR", 50_000_000_000) == 50_000_000_000_00  # 3 million dollars
    assert _code(minor_units(ADYEN, "KWD", 50_000_000_000)) == "amount_out_of_bounds"
