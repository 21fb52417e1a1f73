"""Money as integers in minor units with a currency; never a float.

`minor_from_text` is the definition of an amount's minor units. `core.amounts` keeps to it for Arrow
columns, and `Dialect.minor_units` for SQL.

Source: ISO 4217 by way of the `iso4217` library.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from iso4217 import Currency

from clearhouse.core.errors import MoneyError

NO_CURRENCY = "XXX"
"""ISO 4217's code for "no currency": an amount that can't be read counts as 0 of it."""

PRICE_UNITS: Mapping[str, int] = MappingProxyType({"QUD": 4})
"""Units of prices that are no money, by the code under which the books count them, with the decimal
places. QUD: US dollars for a unit of goods. ISO 4217 begins its codes with a country's, and QM to
QZ are left to users (docs/decisions/0024-the-unit-of-prices.md)."""

_MAX_WHOLE_DIGITS = 13


@cache
def iso_exponents() -> Mapping[str, int]:
    """Every ISO 4217 currency that has minor units or none, with its exponent.

    Metals, test codes and XXX have no exponent and are left out.
    """
    return MappingProxyType({c.code: c.exponent for c in Currency if c.exponent is not None})


@cache
def exponents() -> Mapping[str, int]:
    """The exponent of everything that the books can count: ISO 4217's, and units of prices."""
    return MappingProxyType({**iso_exponents(), **PRICE_UNITS})


def exponent(currency: str) -> int:
    """Number of decimal places of a currency, as ISO 4217 has it, or of a unit of prices.

    Raises:
        MoneyError: the code is not a currency in which an amount can be given.
    """
    try:
        return exponents()[currency]
    except KeyError:
        raise MoneyError(
            f"{currency!r} is not an ISO 4217 currency with an amount.", "currency_unknown"
        ) from None


@cache
def text_pattern(places: int) -> str:
    """The one form in which money is read from text, as a regular expression without anchors.

    Python's `re` and RE2 read it alike, for texts and for bytes.
    """
    fraction = rf"(?:\.[0-9]{{1,{places}}})?" if places else ""
    return rf"-?[0-9]{{1,{_MAX_WHOLE_DIGITS}}}{fraction}"


@cache
def _text_form(places: int) -> re.Pattern[str]:
    return re.compile(text_pattern(places))


def minor_from_text(text: str, currency: str) -> int:
    r"""Minor units of an amount written as plain decimal text, exactly or not at all.

    Accepts `-?\d{1,13}(\.\d{1,e})?` for the currency's exponent e: no exponent form, no sign
    but minus, no white space, no more decimals than the currency has. Nothing is rounded.

    Raises:
        MoneyError: the text is not of that form, or the currency is unknown.
    """
    places = exponent(currency)
    if not _text_form(places).fullmatch(text):
        raise MoneyError(f"{text!r} is not an exact amount of {currency}.")
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(places, "0"))


WHOLE_PATTERN = "-?[0-9]{1,15}"
"""The one form in which a whole number of minor units is read from text."""
_WHOLE_FORM = re.compile(WHOLE_PATTERN)


def minor_from_whole(text: str, currency: str) -> int:
    """Minor units that are written as such: a whole number of at most 15 digits.

    Raises:
        MoneyError: the text is not of that form, or the currency is unknown.
    """
    exponent(currency)
    if not _WHOLE_FORM.fullmatch(text):
        raise MoneyError(f"{text!r} is not a whole number of minor units of {currency}.")
    return int(text)


def text_from_minor(minor: int, currency: str) -> str:
    """The amount as plain decimal text with all of the currency's places: -4590 USD is `-45.90`.

    An unknown currency, XXX among them, is written without decimals.
    """
    places = exponents().get(currency, 0)
    digits = str(abs(minor)).rjust(places + 1, "0")
    sign = "-" if minor < 0 else ""
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :]
    return f"{sign}{whole}.{fraction}" if places else f"{sign}{whole}"


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: an integer of minor units and an ISO 4217 code."""

    minor: int
    currency: str

    def __str__(self) -> str:
        return f"{text_from_minor(self.minor, self.currency)} {self.currency}"
