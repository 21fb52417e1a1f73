"""What an amount means: the exponent is a function of provider and currency.

Providers write amounts in units of their own exponent; events hold ISO 4217's. The table names the
providers' deviations and nothing else: every other currency is as ISO 4217 has it. A conversion is
exact or a problem, and no amount passes through a float.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from clearhouse.core.money import exponent, iso_exponents
from clearhouse.payments.event import Provider
from clearhouse.payments.problem import Problem

_EXPONENTS: Mapping[Provider, Mapping[str, int]] = {
    Provider.STRIPE: {"MGA": 0, "ISK": 2, "UGX": 2},
    Provider.ADYEN: {"CLP": 2, "ISK": 2, "CVE": 0, "IDR": 0},
    Provider.SQUARE: {},
    Provider.PAYPAL: {"HUF": 0, "TWD": 0},
}
"""Exponents that are not ISO 4217's. (Of Stripe's other currencies without decimals ISO has none
either.) A PayPal amount is a decimal text: the exponent is the number of decimals it may have."""

_STEPS: Mapping[Provider, Mapping[str, int]] = {
    Provider.STRIPE: {
        **dict.fromkeys(("ISK", "UGX"), 100),
        **dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 10),
    },
}
"""What an amount must be a multiple of, in the provider's units."""
_PAYOUT_STEPS: Mapping[Provider, Mapping[str, int]] = {
    Provider.STRIPE: dict.fromkeys(("HUF", "TWD"), 100),
}
"""The same of a payout, where a charge may have cents."""

_LISTED: Mapping[Provider, frozenset[str]] = {
    Provider.SQUARE: frozenset({"AUD", "CAD", "EUR", "GBP", "USD", "JPY"}),
}
"""The only currencies of a provider whose list holds codes that are not ISO 4217's."""

_MAX_UNITS = 10_000_000
"""Bound of one payment in units about as large as a dollar: card schemes end far below."""
_PAYOUT_FACTOR = 100
"""A payout sums up many payments."""
_SMALL_UNITS: Mapping[int, str] = {
    10: "BRL CNY CZK DKK EGP GTQ HKD HNL MXN NOK SEK THB TRY TWD UAH UYU ZAR",
    100: "DJF DOP DZD HUF INR ISK JMD JPY KES KMF PHP PKR RSD RUB VUV XPF",
    1_000: "AMD AOA ARS BIF CDF CLP COP CRC IQD KRW KZT MNT MWK NGN RWF TZS XAF XOF YER",
    10_000: "GNF IDR KHR MGA PYG UGX UZS",
    100_000: "IRR LAK LBP VND",
}
"""How many times smaller than a dollar a unit is, to the next power of ten: 10 million dollars are
some 100 billion rupiahs. A currency that is not named counts as a dollar."""
_TIMES = {code: times for times, codes in _SMALL_UNITS.items() for code in codes.split()}

_POWERS = (1, 10, 100, 1_000, 10_000)
_TEXT = re.compile(r"-?[0-9]{1,13}(?:\.[0-9]{1,18})?")
_MAX_TEXT = 32


@dataclass(frozen=True, slots=True)
class Rule:
    """How a provider writes amounts of a currency.

    Attributes:
        exponent: of the provider's unit, as a power of ten.
        iso_exponent: of the unit that events are in.
        step, payout_step: what the provider's number must be a multiple of.
        max_minor, max_payout_minor: bounds, in the events' unit.
    """

    exponent: int
    iso_exponent: int
    step: int
    payout_step: int
    max_minor: int
    max_payout_minor: int


def max_units(currency: str) -> int:
    """The most units of a currency that one payment may be."""
    return _MAX_UNITS * times_smaller(currency)


def times_smaller(currency: str) -> int:
    """How many units of a currency make about a dollar, as a power of ten."""
    return _TIMES.get(currency, 1)


def rule_of(provider: Provider, currency: str) -> Rule | None:
    """How a provider writes amounts of an ISO 4217 currency; None where it is refused."""
    key = (provider, currency)
    if key not in _RULES and currency in iso_exponents():  # what is refused is not kept
        _RULES[key] = _made(provider, currency)
    return _RULES.get(key)


_RULES: dict[tuple[Provider, str], Rule | None] = {}


def _made(provider: Provider, currency: str) -> Rule | None:
    listed = _LISTED.get(provider)
    if listed is not None and currency not in listed:
        return None
    iso = exponent(currency)
    step = _STEPS.get(provider, {}).get(currency, 1)
    most = max_units(currency) * _POWERS[iso]
    return Rule(
        exponent=_EXPONENTS[provider].get(currency, iso),
        iso_exponent=iso,
        step=step,
        payout_step=_PAYOUT_STEPS.get(provider, {}).get(currency, step),
        max_minor=most,
        max_payout_minor=most * _PAYOUT_FACTOR,
    )


def minor_units(
    provider: Provider,
    currency: str,
    amount: int,
    *,
    field: str = "amount",
    is_payout: bool = False,
) -> int | Problem:
    """An amount in ISO 4217's minor units.

    Args:
        provider: whose number it is.
        currency: ISO 4217, upper case.
        amount: in the provider's unit; negative only in a payout.
        field: where it stands, for the problem.
        is_payout: whether it is a payout's.
    """
    rule = rule_of(provider, currency)
    if rule is None:
        return _unknown(field)
    step = rule.payout_step if is_payout else rule.step
    if amount % step:
        return Problem(
            "amount_not_exact", field, f"An amount of {currency} must be a multiple of {step} here."
        )
    return _bounded(_converted(amount, rule, currency, field), rule, currency, field, is_payout)


def minor_of_text(
    provider: Provider, currency: str, text: str, *, field: str = "amount", is_payout: bool = False
) -> int | Problem:
    """The same of an amount that is written as a decimal text."""
    rule = rule_of(provider, currency)
    if rule is None:
        return _unknown(field)
    if len(text) > _MAX_TEXT or not _TEXT.fullmatch(text):
        return Problem("amount_malformed", field, "An amount must be a plain decimal number.")
    whole, _, fraction = text.partition(".")
    if len(fraction) > rule.exponent:
        return Problem(
            "amount_not_exact", field, f"An amount of {currency} has {rule.exponent} decimals here."
        )
    amount = int(whole + fraction.ljust(rule.exponent, "0"))
    return _bounded(_converted(amount, rule, currency, field), rule, currency, field, is_payout)


def _converted(amount: int, rule: Rule, currency: str, field: str) -> int | Problem:
    more = rule.iso_exponent - rule.exponent
    if more >= 0:
        return amount * _POWERS[more]
    minor, rest = divmod(amount, _POWERS[-more])
    if rest:
        return Problem("amount_not_exact", field, f"{currency} has no such small part.")
    return minor


def _bounded(
    minor: int | Problem, rule: Rule, currency: str, field: str, is_payout: bool
) -> int | Problem:
    if isinstance(minor, Problem):
        return minor
    if minor < 0 and not is_payout:
        return Problem("amount_negative", field, "Only a payout can be negative.")
    if abs(minor) > (rule.max_payout_minor if is_payout else rule.max_minor):
        return Problem(
            "amount_out_of_bounds", field, f"It is more {currency} than any payment moves."
        )
    return minor


def _unknown(field: str) -> Problem:
    return Problem("currency_unknown", field, "This provider has no such ISO 4217 currency.")
