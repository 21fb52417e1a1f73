"""Amounts as each provider writes them, from the documented pairs and not from the normalizer.

Inside the sandbox an amount is an integer in ISO 4217 minor units. A provider may write another
number, and may allow only some of them: `Unit.step` is what every amount of it divides by.
"""

from dataclasses import dataclass
from fractions import Fraction

from clearhouse.payments.event import Provider

ISO = {
    "AUD": 2, "BHD": 3, "CAD": 2, "CLP": 0, "CVE": 2, "EUR": 2, "GBP": 2, "HUF": 2, "IDR": 2,
    "ISK": 0, "JPY": 0, "KRW": 0, "KWD": 3, "MGA": 2, "TWD": 2, "UGX": 0, "USD": 2,
}  # fmt: skip
"""Exponents by ISO 4217."""

WRITTEN = {
    Provider.STRIPE: {"MGA": 0, "UGX": 2, "ISK": 2},
    Provider.ADYEN: {"CLP": 2, "ISK": 2, "CVE": 0, "IDR": 0},
    Provider.PAYPAL: {"HUF": 0, "TWD": 0},
    Provider.SQUARE: {},
}
"""Where a provider's exponent is another one."""

_TYPICAL = {
    "CLP": 20_000, "CVE": 300_000, "HUF": 900_000, "IDR": 40_000_000, "ISK": 4_000, "JPY": 4_000,
    "KRW": 40_000, "KWD": 9_000, "BHD": 9_000, "MGA": 12_000_000, "TWD": 90_000, "UGX": 110_000,
}  # fmt: skip
_TYPICAL_OTHERWISE = 3_500

CURRENCIES = {
    Provider.STRIPE: (
        ("USD", 44), ("EUR", 14), ("GBP", 8), ("JPY", 6), ("KWD", 4), ("HUF", 4), ("UGX", 4),
        ("ISK", 4), ("MGA", 3), ("BHD", 2), ("KRW", 3), ("TWD", 2), ("CLP", 2),
    ),
    Provider.ADYEN: (
        ("EUR", 44), ("USD", 18), ("GBP", 10), ("CLP", 6), ("ISK", 6), ("IDR", 6), ("CVE", 4),
        ("JPY", 3), ("KWD", 3),
    ),
    Provider.SQUARE: (("USD", 60), ("CAD", 12), ("GBP", 10), ("AUD", 8), ("JPY", 10)),
    Provider.PAYPAL: (("USD", 50), ("EUR", 20), ("GBP", 10), ("JPY", 8), ("HUF", 6), ("TWD", 6)),
}  # fmt: skip
"""What each provider's payments are in, with shares."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A currency at a provider.

    Attributes:
        code: ISO 4217, upper case.
        exponent: by ISO 4217.
        written: the provider's own exponent.
        step: minor units that every amount is a multiple of.
        typical: a usual amount, in minor units.
    """

    code: str
    exponent: int
    written: int
    step: int
    typical: int

    def number(self, minor: int) -> int:
        """The integer that the provider writes."""
        if self.written >= self.exponent:
            return int(minor * 10 ** (self.written - self.exponent))
        return int(minor // 10 ** (self.exponent - self.written))

    def text(self, minor: int) -> str:
        """The decimal number that the provider writes."""
        sign, digits = ("-" if minor < 0 else ""), str(self.number(abs(minor)))
        if not self.written:
            return sign + digits
        digits = digits.rjust(self.written + 1, "0")
        return f"{sign}{digits[: -self.written]}.{digits[-self.written :]}"

    def rounded(self, minor: float) -> int:
        """The nearest amount that the provider allows, at least one step."""
        return max(1, round(minor / self.step)) * self.step


def unit(provider: Provider, code: str) -> Unit:
    """A currency as a provider has it."""
    exponent = ISO[code]
    written = WRITTEN[provider].get(code, exponent)
    step: int = 10 ** max(exponent - written, 0)
    if provider is Provider.STRIPE and written == 3:
        step = 10  # the last digit is 0
    return Unit(code, exponent, written, step, _TYPICAL.get(code, _TYPICAL_OTHERWISE))


UNITS = {
    provider: {code: unit(provider, code) for code, _ in shares}
    for provider, shares in CURRENCIES.items()
}

SETTLED_IN = {
    (Provider.STRIPE, "KRW"): ("USD", Fraction(1, 1_350)),
    (Provider.ADYEN, "CVE"): ("EUR", Fraction(1_000, 110_265)),
}
"""Currencies without a bank account of their own: what they are paid out in, and its price."""


def exchange_rate(provider: Provider, code: str) -> float:
    """What one of a currency is paid out as."""
    return float(SETTLED_IN[provider, code][1]) if (provider, code) in SETTLED_IN else 1.0


def settled(provider: Provider, code: str, minor: int) -> tuple[str, int]:
    """An amount as it is paid out: its currency, and minor units, converted ones half to even."""
    if (provider, code) not in SETTLED_IN:
        return code, minor
    to, rate = SETTLED_IN[provider, code]
    return to, round(minor * rate * 10 ** ISO[to] / 10 ** ISO[code])
