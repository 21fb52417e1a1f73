"""The sentence that says which rule was broken, and by how much.

Every number in it is a count, a bound of the rule or, for a profile of one row a day, the day's
own figure. The value of a single record is never quoted: it may be personal data.
"""

from collections.abc import Callable, Mapping
from typing import Any


def of_rows(expectation: str, rule: Mapping[str, Any], broken: int, rows: int) -> str:
    """`amount_minor: 241 of 5,312 rows below 1`."""
    return f"{column_of(rule)}: {broken:,} of {rows:,} rows {_breach(expectation, rule)}"


def of_day(expectation: str, rule: Mapping[str, Any], profile: Mapping[Any, Any]) -> str:
    """`net_rows: 2,656 is less than the 4,000 expected at least`.

    Args:
        expectation: the rule's type.
        rule: the rule's arguments, as in the suite's file.
        profile: the day's one row, by column.
    """
    column = column_of(rule)
    figure = _figure(profile[column])
    if figure == _NOTHING:
        return f"{column}: {_NOTHING}"
    other = rule.get("column_B")
    if not other:
        return f"{column}: {figure} is {_breach(expectation, rule)}"
    return _beyond_bound(column, other, profile) or (
        f"{column}: {figure} is {_breach(expectation, rule)} ({_figure(profile[other])})"
    )


def _beyond_bound(greater: str, less: str, profile: Mapping[Any, Any]) -> str | None:
    """The sentence for a day's figure and its bound.

    A bound is a column of the profile that ends in `_low` or `_high`; None if neither is one.
    """
    found, bound = _figure(profile[greater]), _figure(profile[less])
    if less.endswith("_low"):
        return f"{greater}: {found} is less than the {bound} expected at least"
    if greater.endswith("_high"):
        return f"{less}: {bound} is more than the {found} expected at most"
    return None


def column_of(rule: Mapping[str, Any]) -> str:
    """The column that a rule is about; of a pair, the first."""
    return str(rule.get("column") or rule.get("column_A") or "")


_NOTHING = "no value"


def _breach(expectation: str, rule: Mapping[str, Any]) -> str:
    phrase = _PHRASES.get(expectation)
    return phrase(rule) if phrase else f"against {expectation}"


def _outside(rule: Mapping[str, Any]) -> str:
    low, high = rule.get("min_value"), rule.get("max_value")
    if low == high:
        return f"other than {_figure(low)}"
    if high is None:
        return f"below {_figure(low)}"
    if low is None:
        return f"above {_figure(high)}"
    return f"outside {_figure(low)} to {_figure(high)}"


def _figure(value: Any) -> str:
    """A value as a person writes it: 5,312 and 0.0312. A pandas null of any kind is "no value"."""
    import pandas as pd  # slow to import, and most commands judge nothing

    if pd.isna(value):
        return _NOTHING
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        return str(value)
    # A count beside a null in the same column has become a float; six places show any share.
    return f"{float(value):,.6f}".rstrip("0").rstrip(".")


def _not_greater(rule: Mapping[str, Any]) -> str:
    relation = "less than" if rule.get("or_equal") else "not greater than"
    return f"{relation} {rule['column_B']}"


def _not_one_of(rule: Mapping[str, Any]) -> str:
    return "not one of " + ", ".join(_figure(value) for value in rule["value_set"])


_PHRASES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "expect_column_values_to_not_be_null": lambda _: "without a value",
    "expect_column_values_to_be_unique": lambda _: "repeated",
    "expect_column_values_to_be_between": _outside,
    "expect_column_values_to_be_in_set": _not_one_of,
    "expect_column_pair_values_a_to_be_greater_than_b": _not_greater,
    "expect_column_pair_values_to_be_equal": lambda rule: f"different from {rule['column_B']}",
}
"""What a value that breaks the rule is; the rules in use, and a plain word for any other."""
