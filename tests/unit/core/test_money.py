import pytest

from clearhouse.core.errors import ClearhouseError, MoneyError
from clearhouse.core.money import (
    NO_CURRENCY,
    Money,
    exponent,
    iso_exponents,
    minor_from_text,
    minor_from_whole,
    text_from_minor,
    text_pattern,
)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("45.90", "USD", 4590),
        ("45.9", "USD", 4590),
        ("45", "USD", 4500),
        ("-0.01", "USD", -1),
        ("-0", "USD", 0),
        ("007.50", "USD", 750),
        ("9999999999999.99", "USD", 999_999_999_999_999),
        ("100", "JPY", 100),
        ("1.234", "KWD", 1234),
        ("0.0001", "CLF", 1),
        ("9999999999999.9999", "CLF", 99_999_999_999_999_999),
    ],
)
def test_plain_decimal_text_is_read_exactly(text: str, currency: str, minor: int) -> None:
    assert minor_from_text(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("185.66843307230633", "USD"),
        ("1.100", "USD"),
        ("1.", "USD"),
        (".5", "USD"),
        ("1e2", "USD"),
        ("+1", "USD"),
        ("--1", "USD"),
        (" 1", "USD"),
        ("1\n", "USD"),
        ("1,00", "USD"),
        ("٣", "USD"),
        ("", "USD"),
        ("NaN", "USD"),
        ("12345678901234", "USD"),
        ("100.0", "JPY"),
        ("1.2345", "KWD"),
    ],
)
def test_any_other_text_is_refused_and_never_rounded(text: str, currency: str) -> None:
    with pytest.raises(MoneyError) as refused:
        minor_from_text(text, currency)
    assert refused.value.code == "money_malformed"
    assert refused.value.message == f"{text!r} is not an exact amount of {currency}."


@pytest.mark.parametrize(
    ("currency", "places"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("ISK", 0), ("QUD", 4)]
)
def test_a_currency_has_its_exponent(currency: str, places: int) -> None:
    assert exponent(currency) == places


@pytest.mark.parametrize("code", ["XXX", "XAU", "XTS", "usd", "ZZZ", ""])
def test_what_has_no_minor_units_has_no_exponent(code: str) -> None:
    assert code not in iso_exponents()
    with pytest.raises(MoneyError, match="is not an ISO 4217 currency with an amount") as refused:
        exponent(code)
    assert refused.value.code == "currency_unknown"
    assert isinstance(refused.value, ClearhouseError)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (-4590, "USD", "-45.90"),
        (0, "USD", "0.00"),
        (5, "USD", "0.05"),
        (-5, "USD", "-0.05"),
        (100, "USD", "1.00"),
        (7, "JPY", "7"),
        (-7, "JPY", "-7"),
        (1, "KWD", "0.001"),
        (123_456, "CLF", "12.3456"),
        (0, NO_CURRENCY, "0"),
        (-12, "ZZZ", "-12"),
    ],
)
def test_text_shows_all_places_of_the_currency(minor: int, currency: str, text: str) -> None:
    assert text_from_minor(minor, currency) == text
    assert str(Money(minor, currency)) == f"{text} {currency}"


def test_the_pattern_of_a_currency_without_places_has_no_fraction() -> None:
    assert text_pattern(0) == r"-?[0-9]{1,13}"
    assert text_pattern(2) == r"-?[0-9]{1,13}(?:\.[0-9]{1,2})?"


@pytest.mark.parametrize(
    ("text", "minor"), [("4590", 4590), ("-1", -1), ("007", 7), ("9" * 15, 999_999_999_999_999)]
)
def test_minor_units_are_read_from_a_whole_number(text: str, minor: int) -> None:
    assert minor_from_whole(text, "JPY") == minor


@pytest.mark.parametrize("text", ["", "45.90", "1e3", " 1", "+1", "1" * 16, "٣"])
def test_other_minor_units_are_refused(text: str) -> None:
    with pytest.raises(MoneyError, match="is not a whole number of minor units of USD") as refused:
        minor_from_whole(text, "USD")
    assert repr(text) in str(refused.value)


def test_minor_units_of_an_unknown_currency_are_refused() -> None:
    with pytest.raises(MoneyError, match="ABC"):
        minor_from_whole("1", "ABC")
