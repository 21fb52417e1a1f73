"""Figures and dates as a person reads them."""

import datetime as dt

import pytest

from clearhouse.books.model import Totals
from clearhouse.cli.words import amounts, counted, span

FIRST, LAST = dt.date(2024, 1, 3), dt.date(2024, 2, 1)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1_204, "1,204 rows")]
)
def test_a_count_has_its_word(number: int, text: str) -> None:
    assert counted(number, "row") == text


def test_a_span_is_one_day_or_from_the_first_to_the_last() -> None:
    assert span([FIRST, FIRST]) == "2024-01-03"
    assert span([LAST, dt.date(2024, 1, 9), FIRST]) == "2024-01-03 to 2024-02-01"


@pytest.mark.parametrize(
    ("currency", "minor", "text"),
    [
        ("USD", 120_450, "1,204.50 USD"),
        ("USD", -120_450, "-1,204.50 USD"),
        ("USD", -5, "-0.05 USD"),
        ("USD", 1, "0.01 USD"),
        ("USD", 100_000_000_000_000_001, "1,000,000,000,000,000.01 USD"),
        ("JPY", -1_234, "-1,234 JPY"),
        ("JPY", 7, "7 JPY"),
        ("BHD", 1_234_567, "1,234.567 BHD"),
    ],
)
def test_an_amount_keeps_its_sign_its_places_and_every_digit(
    currency: str, minor: int, text: str
) -> None:
    assert amounts(Totals({f"minor:{currency}": minor})) == [text]


def test_amounts_stand_by_currency_and_nothing_is_none() -> None:
    assert amounts(Totals({"minor:USD": 1, "minor:EUR": 2})) == ["0.02 EUR", "0.01 USD"]
    assert amounts(Totals({"records": 4})) == []
