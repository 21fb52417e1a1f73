from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clearhouse.core.errors import MoneyError
from clearhouse.core.money import (
    exponent,
    exponents,
    minor_from_text,
    text_from_minor,
)

currencies = st.sampled_from(sorted(exponents()))


@given(currency=currencies, minor=st.integers(-(10**13) + 1, 10**13 - 1))
def test_every_amount_is_written_and_read_back(currency: str, minor: int) -> None:
    text = text_from_minor(minor, currency)
    assert minor_from_text(text, currency) == minor
    assert Decimal(text) == Decimal(minor).scaleb(-exponent(currency))


@given(
    currency=currencies,
    text=st.decimals(allow_nan=True, allow_infinity=True).map(str)
    | st.floats().map(repr)
    | st.integers().map(str)
    | st.text("0123456789.-+eE_ ٣", max_size=20),
)
@example("USD", "185.66843307230633")
@example("USD", "-00.10")
def test_what_is_read_is_exactly_what_was_written(currency: str, text: str) -> None:
    try:
        minor = minor_from_text(text, currency)
    except MoneyError:
        return
    assert Decimal(text) == Decimal(minor).scaleb(-exponent(currency))


@given(
    currency=currencies,
    whole=st.integers(0, 10**13 - 1),
    fraction=st.text("0123456789", min_size=5, max_size=17),
)
def test_more_places_than_the_currency_has_are_never_rounded_away(
    currency: str, whole: int, fraction: str
) -> None:
    with pytest.raises(MoneyError):
        minor_from_text(f"{whole}.{fraction}", currency)
