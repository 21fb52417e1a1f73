"""Words and figures as a person reads them."""

from collections.abc import Sequence
from datetime import date

from clearhouse.books.model import Totals
from clearhouse.core.money import Money

_MOST_DAYS = 4


def counted(number: int, what: str) -> str:
    """`1 day`, `2 days`, `1,204 rows`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def span(days: Sequence[date]) -> str:
    """`2024-01-03`, or `2024-01-01 to 2024-01-07` of several; not empty."""
    first, last = min(days), max(days)
    return str(first) if first == last else f"{first} to {last}"


def days_in_words(days: Sequence[date]) -> str:
    """`2024-01-01 to 2024-01-07`, or `2024-01-01, 2024-01-05 and 4 more`; not empty."""
    ordered = sorted(set(days))
    if (ordered[-1] - ordered[0]).days == len(ordered) - 1:
        return span(ordered)
    shown = ", ".join(map(str, ordered[:_MOST_DAYS]))
    more = len(ordered) - _MOST_DAYS
    return f"{shown} and {more:,} more" if more > 0 else shown


def amounts(totals: Totals) -> list[str]:
    """`1,204.50 USD` of each currency; empty where there is no amount."""
    return [_grouped(Money(minor, currency)) for currency, minor in totals.amounts()]


def _grouped(money: Money) -> str:
    text, _, currency = str(money).partition(" ")
    whole, dot, fraction = text.partition(".")
    return f"{int(whole):,}{dot}{fraction} {currency}" if whole not in ("-0", "0") else str(money)
